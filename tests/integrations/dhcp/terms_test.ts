import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { DhcpReply } from "../../../src/integrations/dhcp/reply.ts";
import { termsOf } from "../../../src/integrations/dhcp/terms.ts";
import { test } from "../../harness.ts";

function reply(leaseMs: number, renewMs?: number, rebindMs?: number): DhcpReply {
  return { leaseMs, renewMs, rebindMs, server: "10.0.0.1" } as Partial<DhcpReply> as DhcpReply;
}

test("termsOf() counts from before the request, with T1 and T2 at a half and seven eighths (RFC 2131)", () => {
  // A second and a thousandth less, and nothing of the spread.
  assertEquals(termsOf(reply(1_000_000), 500, () => 0), {
    server: "10.0.0.1",
    renewAtMs: 500 + 499_000,
    rebindAtMs: 500 + 873_250,
    endsAtMs: 500 + 998_000,
  });
  assertEquals(termsOf(reply(1_000_000, 100_000), 0, () => 0).renewAtMs, 100_000);
  assertEquals(termsOf(reply(1_000_000, 100_000, 200_000), 0, () => 0).rebindAtMs, 200_000);
  assertEquals(termsOf(reply(Infinity), 0, () => 0).endsAtMs, Infinity);
});

test("termsOf() makes sense of whatever a server says", () => {
  const time = fc.option(fc.integer({ min: 0, max: 2 ** 32 }), { nil: undefined });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 32 }),
      time,
      time,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (
        lease,
        renew,
        rebind,
        drawn,
      ) => {
        const [leaseMs, renewMs, rebindMs] = [lease, renew, rebind].map((s) => s && s * 1000);
        const terms = termsOf(reply(leaseMs!, renewMs, rebindMs), 1000, () => drawn);
        const { renewAtMs, rebindAtMs, endsAtMs } = terms;
        assert(1000 <= renewAtMs && renewAtMs <= rebindAtMs && rebindAtMs <= endsAtMs);
        assert(endsAtMs < 1000 + leaseMs!);
        if (lease > 10) assert(renewAtMs > 1000);
      },
    ),
    { seed: 12, numRuns: 1000 },
  );
});
