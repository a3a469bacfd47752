import type { AddressLease, AddressLeaseRequest, AddressSource } from "../address_table/mod.ts";
import { type Clock, type Host, isJackfieldError } from "../transport/mod.ts";
import type { ContractCase } from "./contract_case.ts";

/** A home of addresses, made for one case of {@linkcode addressLeaseContract}. */
export interface LeaseHome {
  /** One source for each owner, all over the same addresses: two where several hosts share the home. */
  readonly sources: readonly AddressSource[];
  /** How many addresses it has: at least two. */
  readonly size: number;
  /** What the sources are started with. */
  readonly host: Host;
  /** What leases end by. */
  readonly clock: Clock;
  /** Let time pass on that clock, and whatever falls due. */
  pass(ms: number): Promise<void>;
  /** Cut the first owner off from the home, or let him reach it again; where a home is far away. */
  cut?(isCut: boolean): void;
  /** Called when the case is over. */
  close?(): void | Promise<void>;
}

/** An owner of leases, who asks as an address table does. */
class Owner {
  #home: LeaseHome;
  #source: AddressSource;
  /** What he has. */
  readonly leases: Map<string, AddressLease> = new Map();

  constructor(home: LeaseHome, index = 0) {
    this.#home = home;
    this.#source = home.sources[index]!;
    this.#source.start?.(home.host, home.clock);
  }

  /** Wait for something that may need time to pass. */
  async wait<T>(value: T | Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => void (isOver = true);
    const promise = Promise.resolve(value);
    promise.then(over, over);
    for (let waitedMs = 0; !isOver; waitedMs += WAIT_STEP_MS) {
      if (waitedMs > WAIT_LIMIT_MS) throw new Error(`nothing came within ${WAIT_LIMIT_MS} ms`);
      await this.#home.pass(WAIT_STEP_MS);
    }
    return await promise;
  }

  /** The next lease; `undefined` when there is none. */
  async lease(request: Partial<AddressLeaseRequest> = {}): Promise<AddressLease | undefined> {
    return await this.wait(this.#ask(request));
  }

  /** So many, asked for at once. */
  async many(count: number): Promise<readonly (AddressLease | undefined)[]> {
    return await this.wait(Promise.all(Array.from({ length: count }, () => this.#ask({}))));
  }

  async #ask(request: Partial<AddressLeaseRequest>): Promise<AddressLease | undefined> {
    const isTaken = (hostname: string) =>
      this.leases.has(hostname) || request.isUnusable?.(hostname) === true;
    const { addresses = [] } = this.#source;
    const hostname = addresses.find((hostname) =>
      !isTaken(hostname) &&
      (request.family === undefined || hostname.includes(":") === (request.family === 6))
    );
    if (addresses.length > 0 && hostname === undefined) return undefined;
    const asked = { family: undefined, target: undefined, exclusive: true, ...request };
    try {
      const lease = await this.#source.lease({ ...asked, hostname, isUnusable: isTaken });
      if (lease !== undefined) this.leases.set(lease.hostname, lease);
      return lease;
    } catch (error) {
      if (isJackfieldError(error, "ADDRESS_EXHAUSTED")) return undefined;
      throw error;
    }
  }

  /** The same, where there must be one. */
  async must(): Promise<AddressLease> {
    return await this.lease() ?? fail("it lends nothing though it has addresses left");
  }

  /** Everything that he can have. */
  async all(): Promise<AddressLease[]> {
    const found: AddressLease[] = [];
    for (let lease = await this.lease(); lease !== undefined; lease = await this.lease()) {
      found.push(lease);
      if (found.length > this.#home.size) {
        fail(`it lends more than its ${this.#home.size} addresses`);
      }
    }
    return found;
  }

  /** Give one back. */
  async release(lease: AddressLease): Promise<void> {
    this.leases.delete(lease.hostname);
    await this.wait(lease.release());
  }

  /** Whether a lease can be used now. */
  has(lease: AddressLease): boolean {
    return lease.lost?.aborted !== true &&
      (lease.expiresAtMs === undefined || this.#home.clock.now() < lease.expiresAtMs);
  }

  /** Let a lease end. */
  async outlast(lease: AddressLease): Promise<void> {
    await this.#home.pass(Math.max(0, lease.expiresAtMs! - this.#home.clock.now()));
    if (this.has(lease)) fail("a lease moves on by itself");
  }
}

const WAIT_STEP_MS = 50;
const WAIT_LIMIT_MS = 120_000;

/**
 * What every home of addresses keeps, as cases for any test runner: a list of the host, a DHCP server,
 * a store that a cluster shares. What a home has not (leases that end, a second owner, a way to be cut
 * off) its cases leave out.
 *
 * @param create Makes a fresh home for each case.
 *
 * @example
 * ```ts
 * import { hostAddresses } from "@jackfield/jackfield/core";
 * import { addressLeaseContract, VirtualClock } from "@jackfield/jackfield/testing";
 *
 * const contract = addressLeaseContract(() => {
 *   const clock = new VirtualClock();
 *   const sources = [hostAddresses(["10.0.0.1", "10.0.0.2", "10.0.0.3"])];
 *   return { sources, size: 3, host: {}, clock, pass: (ms) => clock.advance(ms) };
 * });
 * for (const { name, run } of contract) {
 *   await run().catch((cause) => {
 *     throw new Error(name, { cause });
 *   });
 * }
 * ```
 */
export function addressLeaseContract(
  create: () => LeaseHome | Promise<LeaseHome>,
): readonly ContractCase[] {
  return Object.entries(CASES).map(([name, check]) => ({
    name,
    async run() {
      const home = await create();
      try {
        await check(home);
      } finally {
        await home.close?.();
      }
    },
  }));
}

const CASES: Readonly<Record<string, (home: LeaseHome) => Promise<void>>> = {
  "lends each address once until it is given back, and then again": async (home) => {
    const owner = new Owner(home);
    const first = await owner.all();
    const names = first.map(({ hostname }) => hostname);
    if (new Set(names).size !== names.length) fail(`it lends one address twice: ${names}`);
    if (names.length !== home.size) fail(`it lends ${names.length} of its ${home.size} addresses`);
    await owner.release(first[0]!);
    const again = await owner.must();
    if (names.slice(1).includes(again.hostname)) fail(`it lends ${again.hostname} twice`);
  },

  "lends at once to many who ask at once": async (home) => {
    const owner = new Owner(home);
    const { addresses = [] } = home.sources[0]!;
    if (addresses.length > 0) return; // The table chooses from a list.
    const names = (await owner.many(home.size)).flatMap((lease) => lease?.hostname ?? []);
    if (new Set(names).size !== names.length) fail(`it lends one address twice: ${names}`);
    if (names.length === 0) fail("it lends nothing to many");
  },

  "lends what is asked for: of a family, and nothing that is of no use": async (home) => {
    const owner = new Owner(home);
    for (const family of [4, 6] as const) {
      const hostname = (await owner.lease({ family }))?.hostname;
      if (hostname !== undefined && hostname.includes(":") !== (family === 6)) {
        fail(`it lends ${hostname} when it is asked for IPv${family}`);
      }
    }
    const banned = [...owner.leases.keys()];
    for (const lease of [...owner.leases.values()]) await owner.release(lease);
    const lease = await owner.lease({ isUnusable: (hostname) => banned.includes(hostname) });
    if (lease !== undefined && banned.includes(lease.hostname)) {
      fail(`it lends ${lease.hostname}, which is of no use`);
    }
  },

  "says when a lease ends, by the owner's clock, and when to renew it": async (home) => {
    const owner = new Owner(home);
    const { expiresAtMs, renewAtMs } = await owner.must();
    const nowMs = home.clock.now();
    if (expiresAtMs !== undefined && !(expiresAtMs > nowMs)) {
      fail(`it lends what has ended: at ${expiresAtMs}, and now is ${nowMs}`);
    }
    if (renewAtMs !== undefined && !(renewAtMs < (expiresAtMs ?? Infinity))) {
      fail(`it wants a lease renewed at ${renewAtMs} that ends at ${expiresAtMs}`);
    }
  },

  "renews a lease, and again": async (home) => {
    const owner = new Owner(home);
    const lease = await owner.must();
    if (lease.expiresAtMs === undefined || lease.renew === undefined) return;
    for (let round = 0; round < 3; round++) {
      const beforeMs = lease.expiresAtMs!;
      await home.pass(Math.max(0, (beforeMs - home.clock.now()) / 2));
      await owner.wait(lease.renew());
      if (!(lease.expiresAtMs! > beforeMs)) fail("a renewed lease does not last longer");
    }
  },

  "ends a lease that nobody renews, for good": async (home) => {
    const owner = new Owner(home);
    const lease = await owner.must();
    if (lease.expiresAtMs === undefined) return;
    await owner.outlast(lease);
    await refusesToRenew(owner, lease);
    if (owner.has(lease)) fail("a lease that is over comes back");
    await owner.release(lease); // Once, also when it was lost.
  },

  "renews nothing that was given back": async (home) => {
    const owner = new Owner(home);
    const lease = await owner.must();
    await owner.release(lease);
    await refusesToRenew(owner, lease);
  },

  "counts the grants of an address": async (home) => {
    const owner = new Owner(home);
    const tokens = new Map<string, bigint>();
    for (let round = 0; round < 3; round++) {
      for (const lease of await owner.all()) {
        checkToken(lease, tokens.get(lease.hostname));
        if (lease.token !== undefined) tokens.set(lease.hostname, BigInt(lease.token));
        await owner.release(lease);
      }
    }
  },

  "lends no address to two owners": async (home) => {
    if (home.sources.length < 2) return;
    const [one, other] = [new Owner(home, 0), new Owner(home, 1)];
    const mine = await one.must();
    const theirs = await other.all();
    if (theirs.some(({ hostname }) => hostname === mine.hostname)) {
      fail(`it lends ${mine.hostname} to two owners`);
    }
    if (theirs.length !== home.size - 1) fail(`it lends ${theirs.length} to the other owner`);
  },

  "lends to the next owner what has ended, and leaves nothing to the one before": async (home) => {
    if (home.sources.length < 2) return;
    const [one, other] = [new Owner(home, 0), new Owner(home, 1)];
    const mine = await one.all();
    if (mine[0]?.expiresAtMs === undefined) return;
    for (const lease of mine) await one.outlast(lease);
    await home.pass(LATER_MS);
    const theirs = await other.all();
    if (theirs.length !== home.size) fail(`it lends ${theirs.length} of what has ended`);
    for (const lease of theirs) {
      const before = one.leases.get(lease.hostname);
      if (before?.token !== undefined) checkToken(lease, BigInt(before.token));
    }
    for (const lease of mine) {
      await refusesToRenew(one, lease);
      if (one.has(lease)) fail(`${lease.hostname} has two owners`);
      await one.release(lease); // It must not take it away from the next one.
    }
    const more = await one.lease();
    if (more !== undefined) fail(`it lends ${more.hostname} to two owners after a late release`);
  },

  "ends a lease of an owner who is cut off, and does not bring it back": async (home) => {
    if (home.cut === undefined) return;
    const owner = new Owner(home);
    const lease = await owner.must();
    if (lease.expiresAtMs === undefined || lease.renew === undefined) return;
    const endsAtMs = lease.expiresAtMs;
    home.cut(true);
    const renewal = lease.renew().then(() => undefined, (error) => error);
    await owner.outlast(lease);
    home.cut(false);
    if (await owner.wait(renewal) === undefined) fail("it renews for who is cut off");
    await refusesToRenew(owner, lease);
    if (owner.has(lease) || lease.expiresAtMs! > endsAtMs) fail("a lease that is over comes back");
    await owner.release(lease);
  },
};

/** Homes may count a little longer than owners: clocks differ, and messages take time. */
const LATER_MS = 10_000;

async function refusesToRenew(owner: Owner, lease: AddressLease): Promise<void> {
  if (lease.renew === undefined) return;
  const error = await owner.wait(lease.renew().then(() => undefined, (error) => error));
  if (!isJackfieldError(error, "ADDRESS_LEASE_LOST")) {
    fail(`to renew what is over ends with ${error}: expected ADDRESS_LEASE_LOST`);
  }
}

function checkToken({ hostname, token }: AddressLease, before: bigint | undefined): void {
  if (token !== undefined && !/^\d+$/.test(token)) fail(`"${token}" is no whole number`);
  if (before === undefined) return;
  if (token === undefined || BigInt(token) <= before) {
    fail(`the token of ${hostname} does not grow: ${token} after ${before}`);
  }
}

function fail(why: string): never {
  throw new Error(`A home of addresses breaks the lease contract: ${why}`);
}
