// The package's own pool keeps the rules with every strategy, and a pool that breaks one is found.
import { assert, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type AcquireOptions,
  AddressTable,
  hostAddresses,
  leastBusy,
  type PoolCandidate,
  random,
  type SocketLease,
  SocketPool,
  type SocketPoolOptions,
  sticky,
} from "../../src/core.ts";
import {
  type ModelledPool,
  type PoolMaterials,
  poolModel,
  property,
  PropertyError,
  watchedSource,
} from "../../src/testing/mod.ts";
import { test } from "../harness.ts";

const RUNS = 15;

const kinds: Readonly<Record<string, Partial<SocketPoolOptions>>> = {
  "one socket": { maxSize: 1 },
  "some ready": { maxSize: 4, minIdle: 2, strategy: leastBusy() },
  "a strategy by key": { maxSize: 3, strategy: sticky(({ key }) => key) },
  "a strategy that wants none at times": {
    maxSize: 3,
    strategy: (sockets, { key }) => key === 1 ? undefined : sockets[0],
  },
  "short lives": { maxSize: 3, idleTimeoutMs: 50, maxLifetimeMs: 500, maxWaiting: 3 },
};

for (const [kind, options] of Object.entries(kinds)) {
  test(`poolModel() finds nothing in SocketPool with ${kind} (P2, P3)`, async () => {
    const model = poolModel((materials) => new SocketPool({ ...materials, ...options }));
    await property(kind, model, { runs: RUNS });
  });
}

test("poolModel() finds nothing in what SocketPool tells its strategy (P4)", async () => {
  const model = poolModel((materials) => new SocketPool({ ...materials, maxSize: 4 }), {
    strategy: ({ random: draw }) => random({ random: draw }),
  });
  await property("hooks", model, { runs: RUNS });
});

test("poolModel() finds a strategy that chooses what is in use, and shows it in a few steps", async () => {
  const deaf = {
    name: "deaf",
    start() {
      const known: PoolCandidate[] = [];
      return { pick: () => known[0], added: (socket: PoolCandidate) => void known.push(socket) };
    },
  };
  const model = poolModel((materials) => new SocketPool({ ...materials, maxSize: 3 }), {
    strategy: () => deaf,
  });
  const found = await assertRejects(() => property("deaf", model), PropertyError) as PropertyError;
  assertStringIncludes(found.message, 'Strategy "deaf": it chose ');
  assert(found.steps.length > 0 && found.steps.length < 8, found.message);
});

test("poolModel() keeps the rules of one's own, of a source for example (A7)", async () => {
  const create = (isForgetful: boolean) => (materials: PoolMaterials) => {
    const { transport, clock } = materials;
    const list = hostAddresses(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    const source = watchedSource({
      name: list.name,
      size: list.size,
      lease(request) {
        const free = list.addresses?.find((hostname) => !request.isUnusable(hostname));
        const leased = isForgetful ? "10.0.0.1" : free;
        return leased === undefined ? undefined : { hostname: leased, release() {} };
      },
    });
    const addresses = new AddressTable({ transport, clock, source, exclusive: true });
    const pool = new SocketPool({ ...materials, addresses, maxSize: 3 });
    return Object.assign(pool, { check: () => source.check() });
  };
  await property("addresses", poolModel(create(false)), { runs: RUNS });
  await assertRejects(
    () => property("addresses", poolModel(create(true)), { maxShrinkRuns: 20 }),
    PropertyError,
    "lent 10.0.0.1 twice",
  );
});

/** A pool that does something of its own in one place. */
function pool(
  materials: PoolMaterials,
  change: (pool: SocketPool) => Partial<ModelledPool>,
): ModelledPool {
  const good = new SocketPool({ ...materials, maxSize: 3 });
  return {
    maxSize: good.maxSize,
    acquire: (options: AcquireOptions) => good.acquire(options),
    close: () => good.close(),
    ...change(good),
  };
}

/** A lease with something of its own. */
function lease(good: SocketLease, change: Partial<SocketLease>): SocketLease {
  const { socket } = good;
  return {
    socket,
    release: () => good.release(),
    discard: () => good.discard(),
    ...change,
  } as SocketLease;
}

const broken: readonly [
  what: string,
  rule: string,
  change: (pool: SocketPool) => Partial<ModelledPool>,
][] = [
  ["holds more than it may", "3 are held, and 2 may be", () => ({ maxSize: 2 })],
  [
    "lends a socket twice",
    "two tasks have one socket",
    (good) => {
      let last: Promise<SocketLease> | undefined;
      let calls = 0;
      return {
        acquire: (options) => ++calls % 5 === 0 && last ? last : (last = good.acquire(options)),
      };
    },
  ],
  [
    "takes a discarded socket back",
    "a task was given a discarded socket",
    (good) => ({
      acquire: async (options) => {
        const given = await good.acquire(options);
        return lease(given, { discard: () => given.release() });
      },
    }),
  ],
  [
    "hears nobody who gives up",
    "waits, though it gave up",
    (good) => ({ acquire: ({ signal: _signal, ...options }) => good.acquire(options) }),
  ],
  [
    "takes its time",
    "waits for too long",
    (good) => ({
      acquire: ({ timeoutMs = 30_000, ...options }) =>
        good.acquire({ ...options, timeoutMs: timeoutMs + 50 }),
    }),
  ],
  [
    "loses a waiter",
    "a caller waits for ",
    (good) => {
      let calls = 0;
      return {
        acquire: (options) => ++calls % 40 === 0 ? new Promise(() => {}) : good.acquire(options),
      };
    },
  ],
  [
    "refuses with an error of its own",
    "that is no error of a pool",
    (good) => ({
      acquire: (options) =>
        good.acquire(options).catch(() => {
          throw new Error("no");
        }),
    }),
  ],
  [
    "says wrong numbers",
    "leases, and it says",
    (good) => ({ stats: () => ({ ...good.stats(), leased: good.stats().leased >> 1 }) }),
  ],
  ["never closes", "close has not resolved", () => ({ close: () => new Promise(() => {}) })],
  ["leaves sockets behind", "Sockets: ", () => ({ close: () => Promise.resolve() })],
];

for (const [what, rule, change] of broken) {
  test(`poolModel() finds a pool that ${what}`, async () => {
    const model = poolModel((materials) => pool(materials, change));
    const found = await assertRejects(
      () => property(what, model, { maxShrinkRuns: 40 }),
      PropertyError,
    ) as PropertyError;
    assertStringIncludes(found.message, rule);
    assert(found.steps.length <= 150);
  });
}
