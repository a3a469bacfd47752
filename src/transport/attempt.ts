import { formatAddress, type SocketAddress } from "./address.ts";
import type { Clock } from "./clock.ts";
import { JackfieldError } from "./errors.ts";
import { Stop } from "./stop.ts";

/** How long a connection may take to stand unless the caller says otherwise. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;

/** Options of {@linkcode attempt}. */
export interface AttemptOptions<T> {
  /** Measures the time limit. */
  readonly clock: Clock;
  /** Named in the error. */
  readonly address: SocketAddress;
  /** The caller's wish to give up. */
  readonly signal: AbortSignal | undefined;
  /** Milliseconds; `Infinity` for no limit. */
  readonly timeoutMs: number;
  /** Begin; `stop` tells when nobody waits for the result any more. */
  start(stop: Stop): Promise<T>;
  /** Undo a result that came too late. */
  undo(result: T): void;
  /** Called once when an attempt without a result holds nothing any more. */
  released?(): void;
}

/**
 * Run something that ends in a connection, for as long as somebody waits for it.
 *
 * The promise settles at once when the caller gives up or the time is over. What was begun is
 * stopped, and undone if it succeeds all the same; `released` then says that nothing is held.
 */
export function attempt<T>(options: AttemptOptions<T>): Promise<T> {
  const { clock, address, signal, timeoutMs, start, undo, released } = options;
  assertTimeout(timeoutMs);
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      released?.();
      return;
    }
    const stop = new Stop();
    let waiting = true;
    const leave = () => {
      waiting = false;
      cancel();
      signal?.removeEventListener("abort", giveUp);
    };
    const refuse = (reason: unknown) => {
      leave();
      reject(reason);
      stop.stop(reason);
    };
    const giveUp = () => refuse(signal!.reason);
    const cancel = timeoutMs === Infinity ? () => {} : clock.schedule(timeoutMs, () => {
      const message = `Cannot connect to ${formatAddress(address)}: no answer in ${timeoutMs} ms`;
      refuse(
        new JackfieldError("CONNECT_TIMEOUT", message, {
          operation: "connect",
          address,
          reason: "timeout",
          phase: "connect",
          limit: timeoutMs,
        }),
      );
    });
    signal?.addEventListener("abort", giveUp, { once: true });
    let begun: Promise<T>;
    try {
      begun = start(stop);
    } catch (error) {
      begun = Promise.reject(error); // It ends the attempt like one that rejects.
    }
    begun.then((result) => {
      if (waiting) {
        leave();
        resolve(result);
      } else {
        undo(result);
        released?.();
      }
    }, (error) => {
      if (waiting) {
        leave();
        reject(error);
      }
      released?.();
    });
  });
}

/** Throw a `RangeError` that names the value, unless it is a time limit: more than 0, or `Infinity`. */
export function assertTimeout(timeoutMs: number): void {
  if (!(timeoutMs > 0)) {
    throw new RangeError(`Cannot use timeoutMs "${timeoutMs}": expected more than 0 milliseconds`);
  }
}
