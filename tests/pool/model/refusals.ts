import { isJackfieldError } from "../../../src/core.ts";
import type { Ask } from "./ask.ts";
import type { PoolModel } from "./pool_model.ts";

/** Why a caller may not be refused with this error. */
export function whyNot(
  model: PoolModel,
  ask: Ask,
  error: unknown,
  isHopelessNow: boolean | undefined,
): string | undefined {
  if (ask.signal?.aborted && error === ask.signal.reason) return undefined;
  if (!isJackfieldError(error)) return "that is no error of the pool";
  switch (error.code) {
    case "POOL_CLOSED":
      return model.closing ? undefined : "the pool is open";
    case "POOL_QUEUE_FULL":
      return ask.waitingBefore >= model.settings.options.maxWaiting! ? undefined : "few wait";
    case "POOL_DEADLOCK":
      // It may have come to that later, and what came after it hides it.
      if (ask.isHopeless !== false || isHopelessNow !== false) return undefined;
      return model.movesInTurn > 1 ? undefined : "something may come back";
    case "POOL_TIMEOUT":
      if (error.operation !== "acquire") break;
      return model.clock.now() >= ask.deadlineMs ? undefined : "it is too early";
    case "POOL_PREPARE_FAILED":
    case "CONNECT_FAILED":
    case "CONNECT_TIMEOUT":
      break;
    default:
      return "nobody expects that";
  }
  model.refusedByFailure++;
  return undefined;
}
