import type { AddressLease, AddressSource } from "../address_table/mod.ts";
import { Rules } from "./rules.ts";

/** A source of addresses that is watched at work. */
export interface WatchedSource extends AddressSource {
  /** The addresses that are leased now. */
  readonly leased: ReadonlySet<string>;
  /**
   * Throws with the first rule that was broken, by the source or by who leases from it.
   *
   * @throws {Error} When there is one.
   */
  check(): void;
  /**
   * The same at the end, when nothing may be left.
   *
   * @throws {Error} Also when an address was not given back.
   */
  checkEnd(): void;
}

/**
 * The same source, with an eye on its leases: an address that an owner has alone is lent to nobody
 * else, what it lends is what was asked for, and each lease is given back once.
 *
 * It goes wherever the source goes, such as into an address table.
 *
 * @example
 * ```ts
 * import { AddressTable, hostAddresses } from "@jackfield/jackfield/core";
 * import { memoryTransport, watchedSource } from "@jackfield/jackfield/testing";
 *
 * const source = watchedSource(hostAddresses(["10.0.0.1", "10.0.0.2"]));
 * const table = new AddressTable({ transport: memoryTransport(), source });
 * const descriptor = await table.create();
 * if (source.leased.size !== 1) throw new Error("unexpected");
 * await table.close(descriptor);
 * source.checkEnd();
 * ```
 */
export function watchedSource(source: AddressSource): WatchedSource {
  const rules = new Rules(`Source "${source.name}"`);
  const leased = new Set<string>();
  const watch = (lease: AddressLease): AddressLease => {
    const { hostname } = lease;
    if (leased.has(hostname)) rules.broke(`it lent ${hostname} twice`);
    leased.add(hostname);
    let isOver = false;
    const release = () => {
      if (isOver) rules.broke(`${hostname} was given back twice`);
      isOver = true;
      leased.delete(hostname);
      return lease.release();
    };
    // What is read at each use must come from the lease itself.
    return new Proxy(lease, {
      get: (target, key) => key === "release" ? release : ofTarget(target, key),
    });
  };
  return {
    name: source.name,
    get size() {
      return source.size;
    },
    get addresses() {
      return source.addresses ?? [];
    },
    leased,
    start: (host, clock) => source.start?.(host, clock),
    refresh: () => source.refresh?.(),
    lease({ hostname: wanted, ...request }) {
      const lent = (lease: AddressLease | undefined) => {
        if (lease === undefined) return undefined;
        if (wanted !== undefined && lease.hostname !== wanted) {
          rules.broke(`it lent ${lease.hostname} when it was asked for ${wanted}`);
        }
        return watch(lease);
      };
      const lease = source.lease({ hostname: wanted, ...request });
      return lease instanceof Promise ? lease.then(lent) : lent(lease);
    },
    check: () => rules.check(),
    checkEnd() {
      for (const hostname of leased) rules.broke(`${hostname} was not given back`);
      rules.check();
    },
  };
}

function ofTarget(target: AddressLease, key: string | symbol): unknown {
  const value = Reflect.get(target, key, target);
  return typeof value === "function" ? value.bind(target) : value;
}
