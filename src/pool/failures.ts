import {
  addressOfTarget,
  isJackfieldError,
  JackfieldError,
  type TimeoutPhase,
} from "../transport/mod.ts";
import type { Hold } from "./holds.ts";
import type { PoolStats } from "./options.ts";
import type { TargetState } from "./pool_target.ts";

/** The pool lends nothing any more. */
export function closedError(operation: string = "acquire"): JackfieldError {
  return new JackfieldError("POOL_CLOSED", `Cannot ${operation} socket: pool is closed`, {
    operation,
  });
}

/** Nobody more may wait. */
export function queueFullError(limit: number): JackfieldError {
  const message = `Cannot acquire socket: ${limit} callers already wait`;
  return new JackfieldError("POOL_QUEUE_FULL", message, { operation: "acquire", limit });
}

/** No socket more may be added. */
export function fullError(limit: number): JackfieldError {
  const message = `Cannot add socket: the pool has ${limit} already, which is its maxSize`;
  return new JackfieldError("POOL_FULL", message, { operation: "add", limit });
}

/** Everything that is leased waits for this pool itself. */
export function deadlockError(
  holder: Hold,
  label: string | undefined,
  stack: string | undefined,
  size: number,
): JackfieldError {
  const message = `Cannot acquire socket: all ${size} are held by tasks that wait for this pool ` +
    `themselves; "${holder.label}" holds one while ` +
    `${label === undefined ? "an acquire()" : `"${label}"`} within it asks for another` +
    (holder.stack === undefined ? "" : `\nheld: ${holder.stack}`) +
    (stack === undefined ? "" : `\nasked: ${stack}`);
  return new JackfieldError("POOL_DEADLOCK", message, { operation: "acquire", limit: size });
}

/** No target can be reached, and the next try is some time off: what the last one failed with. */
export function downError(down: TargetState, nowMs: number): unknown {
  const { lastError, failures, restsUntilMs } = down.breaker;
  if (!isJackfieldError(lastError)) return lastError;
  const message = `${lastError.message} (${failures} failures in a row; ` +
    `the next try is in ${Math.ceil(restsUntilMs - nowMs)} ms)`;
  const { operation, address, localAddress, reason, osCode, phase, limit } = lastError;
  const facts = { operation, address, localAddress, reason, osCode, phase, limit };
  return new JackfieldError(lastError.code, message, { ...facts, cause: lastError });
}

/** The connection ended before anybody could use it. */
export function lostError(target: TargetState): JackfieldError {
  const address = target.target === undefined ? undefined : addressOfTarget(target.target);
  const message = `Cannot connect to ${target.name}: the connection ended at once`;
  return new JackfieldError("CONNECT_FAILED", message, {
    operation: "connect",
    address,
    reason: "reset",
  });
}

/** `prepare` failed, or took too long. */
export function prepareError(target: TargetState, cause: unknown): JackfieldError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `Cannot prepare socket to ${target.name}: ${why}`;
  const address = target.target === undefined ? undefined : addressOfTarget(target.target);
  const code = isJackfieldError(cause, "POOL_TIMEOUT") ? "POOL_TIMEOUT" : "POOL_PREPARE_FAILED";
  const limit = code === "POOL_TIMEOUT" ? (cause as JackfieldError).limit : undefined;
  const facts = { operation: "prepare", phase: "prepare", address, limit, cause } as const;
  return new JackfieldError(code, message, facts);
}

/** No socket came in time. */
export function timeoutError(
  timeoutMs: number,
  phase: TimeoutPhase,
  stats: PoolStats,
  cause: unknown,
): JackfieldError {
  const { leased, connecting, checking, waiting, size, targets } = stats;
  const to = targets.length === 1 ? ` to ${targets[0]!.target}` : "";
  const doing = { wait: "none came free", connect: "no connect succeeded" } as const;
  const why = phase === "wait" || phase === "connect" ? doing[phase] : `its ${phase} was not done`;
  const message = `Cannot acquire socket${to}: ${why} in ${timeoutMs} ms ` +
    `(${size} sockets: ${leased} leased, ${connecting} connecting, ${checking} checking; ` +
    `${waiting} waiting)`;
  return new JackfieldError("POOL_TIMEOUT", message, {
    operation: "acquire",
    phase,
    limit: timeoutMs,
    ...(cause === undefined ? {} : { cause }),
  });
}
