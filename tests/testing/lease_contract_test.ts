// The contract suite itself: homes that keep it, and homes that are broken on purpose.
import { assertRejects } from "@std/assert";
import {
  type AddressLease,
  type AddressSource,
  hostAddresses,
  JackfieldError,
} from "../../src/core.ts";
import { addressLeaseContract, type LeaseHome, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";

function listHome(list: readonly string[], size: number): LeaseHome {
  const clock = new VirtualClock();
  const sources = [hostAddresses(list)];
  return { size, sources, host: {}, clock, pass: (ms) => clock.advance(ms) };
}

/** What a store in memory does wrong on purpose. */
type Fault = "twice" | "revives" | "lends unusable" | "forgets release" | "same token";

/** The smallest home with leases that end and several owners: a map. */
function storeHome(fault?: Fault): LeaseHome {
  const clock = new VirtualClock();
  const names = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
  const store = new Map<string, { endsAtMs: number; lease: AddressLease }>();
  const tokens = new Map<string, number>();
  let isCut = false;
  const source = (): AddressSource => ({
    name: "a store",
    size: names.length,
    lease({ isUnusable, family }) {
      const hostname = names.find((name) =>
        family !== 6 && (fault === "lends unusable" || !isUnusable(name)) &&
        (fault === "twice" || !(store.get(name)?.endsAtMs! > clock.now()))
      );
      if (hostname === undefined) return undefined;
      const token = fault === "same token" ? 1 : (tokens.get(hostname) ?? 0) + 1;
      tokens.set(hostname, token);
      const entry = { endsAtMs: clock.now() + 10_000, lease: {} as AddressLease };
      const lease: AddressLease = entry.lease = {
        hostname,
        token: String(token),
        get expiresAtMs() {
          return entry.endsAtMs;
        },
        renew: async () => {
          const isOver = store.get(hostname) !== entry || clock.now() >= entry.endsAtMs;
          if (isCut || (isOver && fault !== "revives")) {
            const message = `Cannot renew ${hostname}: it is over`;
            throw new JackfieldError("ADDRESS_LEASE_LOST", message);
          }
          await Promise.resolve();
          entry.endsAtMs = clock.now() + 10_000;
        },
        release: () => {
          if (fault !== "forgets release" && store.get(hostname) === entry) store.delete(hostname);
        },
      };
      store.set(hostname, entry);
      return lease;
    },
  });
  return {
    size: names.length,
    sources: [source(), source()],
    host: {},
    clock,
    pass: (ms) => clock.advance(ms),
    cut: (cut) => void (isCut = cut),
  };
}

const homes: readonly [string, () => LeaseHome][] = [
  ["a list of the host", () => listHome(["10.0.0.1", "10.0.0.2", "fd00::1"], 3)],
  ["a store in memory", () => storeHome()],
];

for (const [home, create] of homes) {
  for (const { name, run } of addressLeaseContract(create)) {
    test(`addressLeaseContract() with ${home} ${name} (A4)`, run);
  }
}

const faults: readonly Fault[] = [
  "twice",
  "revives",
  "lends unusable",
  "forgets release",
  "same token",
];

for (const fault of faults) {
  test(`addressLeaseContract() finds a home that is broken: ${fault}`, async () => {
    await assertRejects(
      async () => {
        for (const { run } of addressLeaseContract(() => storeHome(fault))) await run();
      },
      Error,
      "breaks the lease contract",
    );
  });
}
