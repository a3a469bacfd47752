// Sources and hosts for tests of the address table: they lend, count, and fail on purpose.
import { assert } from "@std/assert";
import {
  type AddressLease,
  type AddressLeaseRequest,
  type AddressSource,
  type AssignedAddress,
  type AssignOptions,
  type Clock,
  type Interfaces,
  JackfieldError,
} from "../../src/core.ts";

/** A lease that a {@linkcode WatchedSource} has lent. */
export interface WatchedLease extends AddressLease {
  expiresAtMs?: number;
  renewAtMs?: number;
  readonly controller: AbortController;
}

/** Options of {@linkcode WatchedSource}. */
export interface WatchedSourceOptions {
  /** What it can lend. */
  readonly addresses: readonly string[];
  /** Whether the table is shown the addresses beforehand. @default {true} */
  readonly isListing?: boolean;
  /** How long a lease lasts. @default {for ever} */
  readonly leaseMs?: number;
  /** When it says that a lease is to be renewed. @default {it does not say} */
  readonly renewAfterMs?: number;
  /** Whether a lease can be renewed. @default {true} */
  readonly renews?: boolean;
  /** Measures leases. */
  readonly clock?: Clock;
  /** Something to wait for before a lease, a renewal or a release. */
  readonly wait?: (what: "lease" | "renew" | "release") => Promise<void> | undefined;
}

/** A source that notices when an address is lent twice, or given back twice. */
export class WatchedSource implements AddressSource {
  readonly name = "a watched source";
  readonly size: number;
  readonly addresses?: readonly string[];
  /** What is lent now. */
  readonly lent: Map<string, WatchedLease> = new Map();
  /** What it was asked. */
  readonly requests: AddressLeaseRequest[] = [];
  /** How many leases, renewals and releases there were. */
  readonly counts = { leases: 0, renewals: 0, releases: 0 };
  #options: WatchedSourceOptions;
  #token = 0;

  constructor(options: WatchedSourceOptions) {
    this.#options = options;
    this.size = options.addresses.length;
    if (options.isListing ?? true) this.addresses = options.addresses;
  }

  lease(
    request: AddressLeaseRequest,
  ): AddressLease | undefined | Promise<AddressLease | undefined> {
    this.requests.push(request);
    const waited = this.#options.wait?.("lease");
    return waited === undefined ? this.#lend(request) : waited.then(() => this.#lend(request));
  }

  #lend({ hostname, family, isUnusable }: AddressLeaseRequest): AddressLease | undefined {
    const { addresses, leaseMs, renewAfterMs, clock, renews = true } = this.#options;
    const found = hostname ??
      addresses.find((one) =>
        !isUnusable(one) && !this.lent.has(one) && (family === undefined ||
          one.includes(":") === (family === 6))
      );
    if (found === undefined) return undefined;
    assert(!this.lent.has(found), `${found} is lent twice`);
    const controller = new AbortController();
    const until = () => leaseMs === undefined ? undefined : clock!.now() + leaseMs;
    const renewal = () => renewAfterMs === undefined ? undefined : clock!.now() + renewAfterMs;
    const lease: WatchedLease = {
      hostname: found,
      expiresAtMs: until(),
      renewAtMs: renewal(),
      token: String(++this.#token),
      controller,
      lost: controller.signal,
      ...(renews && leaseMs !== undefined
        ? {
          renew: async () => {
            this.counts.renewals++;
            await this.#options.wait?.("renew");
            if (this.lent.get(found) !== lease) {
              throw new JackfieldError("ADDRESS_LEASE_LOST", "Cannot renew: it was given back");
            }
            lease.expiresAtMs = until();
            lease.renewAtMs = renewal();
          },
        }
        : {}),
      release: () => {
        assert(this.lent.get(found) === lease, `${found} is given back twice`);
        const back = () => {
          this.lent.delete(found);
          this.counts.releases++;
        };
        const waited = this.#options.wait?.("release");
        return waited === undefined ? back() : waited.then(back);
      },
    };
    this.lent.set(found, lease);
    this.counts.leases++;
    return lease;
  }
}

/** Interfaces that notice when an address is added twice, or removed twice. */
export class WatchedInterfaces implements Interfaces {
  /** What is on which interface, and how often it was renewed. */
  readonly assigned: Map<string, { interface: string; validMs: number; renewals: number }> =
    new Map();
  /** Something to wait for, or to fail with. */
  wait: ((what: "assign" | "renew" | "remove") => Promise<void> | undefined) | undefined;

  list(): [] {
    return [];
  }

  async assign({ hostname, interface: name, validMs }: AssignOptions): Promise<AssignedAddress> {
    await this.wait?.("assign");
    assert(!this.assigned.has(hostname), `${hostname} is added twice`);
    const entry = { interface: name, validMs, renewals: 0 };
    this.assigned.set(hostname, entry);
    return {
      renew: async (validMs: number) => {
        await this.wait?.("renew");
        entry.validMs = validMs;
        entry.renewals++;
      },
      remove: async () => {
        await this.wait?.("remove");
        assert(this.assigned.get(hostname) === entry, `${hostname} is removed twice`);
        this.assigned.delete(hostname);
      },
    };
  }

  removeLeftovers(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  checkRoute(): Promise<void> {
    return Promise.resolve();
  }
}
