import type { DhcpReply } from "./reply.ts";

/** What a server has granted, in times of the owner's clock. */
export interface Terms {
  /** Who has granted it. */
  readonly server: string;
  /** When to ask this server for more (T1). */
  readonly renewAtMs: number;
  /** When to ask any server for more (T2). */
  readonly rebindAtMs: number;
  /** When it is over; `Infinity` for never. */
  readonly endsAtMs: number;
}

/** Clocks of two hosts may differ by as much: a second, and a thousandth of the time. */
const MARGIN_MS = 1000;
const DRIFT = 1 / 1000;

/** T2 as a part of the lease, and T1 of T2, when a server says nothing that fits (RFC 2131, 4.4.5). */
const REBIND_PART = 0.875;
const RENEW_PART = 0.5 / REBIND_PART;

/** Renewals of many leases are spread over so much of the time before T1. */
const SPREAD = 0.1;

/**
 * What an answer grants, counted from before the question was sent: the server began somewhere in
 * between, so the owner's time is over before the server's.
 */
export function termsOf(reply: DhcpReply, sentAtMs: number, random: () => number): Terms {
  const { server, leaseMs, renewMs = Infinity, rebindMs = Infinity } = reply;
  if (leaseMs === Infinity) {
    return { server, renewAtMs: Infinity, rebindAtMs: Infinity, endsAtMs: Infinity };
  }
  const lastsMs = Math.max(0, Math.floor(leaseMs - MARGIN_MS - leaseMs * DRIFT));
  const rebindAfterMs = rebindMs > 0 && rebindMs < lastsMs ? rebindMs : lastsMs * REBIND_PART;
  const renewAfterMs = renewMs > 0 && renewMs < rebindAfterMs
    ? renewMs
    : rebindAfterMs * RENEW_PART;
  return {
    server,
    renewAtMs: sentAtMs + Math.floor(renewAfterMs * (1 - SPREAD * random())),
    rebindAtMs: sentAtMs + Math.floor(rebindAfterMs),
    endsAtMs: sentAtMs + lastsMs,
  };
}
