import { exchange, type ExchangeTools } from "./exchange.ts";
import type { DhcpReply } from "./reply.ts";
import { discover, reboot, type Request, type Requester, select } from "./requests.ts";
import { retryWaitMs } from "./retries.ts";
import { type Terms, termsOf } from "./terms.ts";

/** What one try to lease an address needs to know. */
export interface AcquireOptions {
  /** Under which name. */
  readonly requester: Requester;
  /** What it had before a restart. */
  readonly saved: string | undefined;
  /** Which address would be best. */
  readonly wanted: string | undefined;
  /** When to give up. */
  readonly deadlineMs: number;
  /** Reserve an address for it; `false` when another lease has it. */
  readonly claim: (hostname: string) => boolean;
  /** Take that back. */
  readonly unclaim: (hostname: string) => void;
}

/** How a try has ended. */
export type Acquired =
  | { readonly kind: "leased"; readonly hostname: string; readonly terms: Terms }
  | { readonly kind: "duplicate"; readonly hostname: string; readonly server: string }
  | { readonly kind: "refused"; readonly server: string; readonly words: string }
  | { readonly kind: "silent" };

const SILENT: Acquired = { kind: "silent" };

/** Lease an address: the one from before a restart if it is still ours, or what a server offers. */
export async function acquire(tools: ExchangeTools, options: AcquireOptions): Promise<Acquired> {
  const { saved, claim } = options;
  if (saved !== undefined && claim(saved)) {
    const resumed = await whileClaimed(options, saved, () => resume(tools, options, saved));
    if (resumed.kind === "leased") return resumed;
  }
  const offer = await findOffer(tools, options);
  if (offer === undefined) return SILENT;
  const { hostname, server } = offer;
  if (!claim(hostname)) return { kind: "duplicate", hostname, server };
  return await whileClaimed(options, hostname, () => take(tools, options, offer));
}

/** An address stays reserved when it is leased, and not otherwise. */
async function whileClaimed(
  { unclaim }: AcquireOptions,
  hostname: string,
  run: () => Promise<Acquired>,
): Promise<Acquired> {
  let acquired = SILENT;
  try {
    return acquired = await run();
  } finally {
    if (acquired.kind !== "leased") unclaim(hostname);
  }
}

/** A server that does not know the lease must not answer: it is asked once. */
async function resume(
  tools: ExchangeTools,
  { requester, deadlineMs }: AcquireOptions,
  hostname: string,
): Promise<Acquired> {
  const { clock, random } = tools;
  const request = reboot(requester, hostname);
  return await exchange(tools, {
    requester,
    next: (attempt) => {
      const leftMs = deadlineMs - clock.now();
      if (attempt > 0 || leftMs <= 0) return undefined;
      return { request, waitMs: Math.min(retryWaitMs(0, random), leftMs) };
    },
    accept: (reply, sentAtMs) => outcome(tools, reply, sentAtMs, hostname),
  }) ?? SILENT;
}

function findOffer(
  tools: ExchangeTools,
  { requester, saved, wanted, deadlineMs }: AcquireOptions,
): Promise<DhcpReply | undefined> {
  const request = discover(requester, wanted ?? saved);
  return exchange(tools, {
    requester,
    next: nextUntil(tools, deadlineMs, request),
    accept: (reply) => reply.type === "offer" ? reply : undefined,
  });
}

async function take(
  tools: ExchangeTools,
  { requester, deadlineMs }: AcquireOptions,
  { hostname, server }: DhcpReply,
): Promise<Acquired> {
  const request = select(requester, hostname, server);
  return await exchange(tools, {
    requester,
    next: nextUntil(tools, deadlineMs, request),
    accept: (reply, sentAtMs) =>
      reply.server === server ? outcome(tools, reply, sentAtMs, hostname) : undefined,
  }) ?? SILENT;
}

function nextUntil(
  { clock, random }: ExchangeTools,
  deadlineMs: number,
  request: Request,
) {
  return (attempt: number) => {
    const leftMs = deadlineMs - clock.now();
    if (leftMs <= 0) return undefined;
    return { request, waitMs: Math.min(retryWaitMs(attempt, random), leftMs) };
  };
}

/** What an answer to a request for this address comes to. */
function outcome(
  { random, counts }: ExchangeTools,
  reply: DhcpReply,
  sentAtMs: number,
  hostname: string,
): Acquired | undefined {
  if (reply.type === "nak") {
    counts.refused++;
    return { kind: "refused", server: reply.server, words: reply.words };
  }
  if (reply.type !== "ack" || reply.hostname !== hostname) return undefined;
  return { kind: "leased", hostname, terms: termsOf(reply, sentAtMs, random) };
}
