import { type Clock, delay } from "../../transport/mod.ts";
import { encodeMessage } from "./message.ts";
import type { DhcpReply } from "./reply.ts";
import type { Request, Requester } from "./requests.ts";
import type { DhcpCounts } from "./stats.ts";
import type { Wire } from "./wire.ts";

/** What every exchange with servers needs. */
export interface ExchangeTools {
  /** The way to the servers. */
  readonly wire: Wire;
  /** Measures leases and waits. */
  readonly clock: Clock;
  /** Spreads what is sent over time. */
  readonly random: () => number;
  /** What was seen. */
  readonly counts: DhcpCounts;
}

/** One message of an exchange. */
export interface Transmission {
  /** What is asked. */
  readonly request: Request;
  /** A server; `undefined` for the one that is known, or for all. */
  readonly server?: string;
  /** How long to wait for an answer. */
  readonly waitMs: number;
}

/** Options of {@linkcode exchange}. */
export interface ExchangeOptions<Result> {
  /** Who asks. */
  readonly requester: Requester;
  /** What to send next; `undefined` when it is time to give up. */
  readonly next: (attempt: number) => Transmission | undefined;
  /** What an answer comes to; `undefined` when it does not fit. `sentAtMs` is when it was asked. */
  readonly accept: (reply: DhcpReply, sentAtMs: number) => Result | undefined;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/**
 * Ask until an answer fits; resolves to `undefined` when there was none.
 *
 * Each transmission is a transaction of its own, so that it is known which one was answered: a lease
 * is counted from there. Answers to earlier ones count too, until all is over.
 */
export async function exchange<Result>(
  { wire, clock, counts }: ExchangeTools,
  { requester, next, accept, signal }: ExchangeOptions<Result>,
): Promise<Result | undefined> {
  const beganMs = clock.now();
  const forget: (() => void)[] = [];
  const over = new AbortController();
  const giveUp = () => over.abort(signal!.reason);
  if (signal?.aborted) throw signal.reason;
  signal?.addEventListener("abort", giveUp, { once: true });
  let result: Result | undefined;
  try {
    for (let attempt = 0; result === undefined; attempt++) {
      const transmission = next(attempt);
      if (transmission === undefined) {
        counts.unanswered++;
        return undefined;
      }
      const transactionId = newTransaction(wire);
      const sentAtMs = clock.now();
      forget.push(wire.expect(transactionId, (reply) => {
        const found = isFor(requester, reply) ? accept(reply, sentAtMs) : undefined;
        if (found === undefined || result !== undefined) {
          counts.foreign++;
          return;
        }
        result = found;
        over.abort();
      }));
      const seconds = Math.floor((sentAtMs - beganMs) / 1000);
      const { request, server, waitMs } = transmission;
      if (attempt > 0) counts.resent++;
      await wire.send(encodeMessage({ ...request, transactionId, seconds }), server);
      if (result !== undefined) break;
      // An answer ends the wait, and so does who gives up.
      await delay(clock, waitMs, over.signal).catch(() => {});
      if (signal?.aborted) throw signal.reason;
    }
    return result;
  } finally {
    signal?.removeEventListener("abort", giveUp);
    for (const one of forget) one();
  }
}

/** Whether an answer is meant for him who asks: one network may have many who ask. */
function isFor({ hardwareAddress, clientIdentifier, relayAddress }: Requester, reply: DhcpReply) {
  return isSame(reply.hardwareAddress, hardwareAddress) &&
    (relayAddress === undefined || reply.relayAddress === relayAddress) &&
    (reply.clientIdentifier === undefined || isSame(reply.clientIdentifier, clientIdentifier));
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, at) => byte === other[at]);
}

/** A number that nobody can guess who does not see the request: it is all that tells answers apart. */
function newTransaction(wire: Wire): number {
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1));
  return wire.has(drawn) ? newTransaction(wire) : drawn;
}
