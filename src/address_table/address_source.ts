import type { Clock, Host, Target } from "../transport/mod.ts";
import type { IpFamily } from "./ip.ts";

/** What an address table asks a source for. */
export interface AddressLeaseRequest {
  /** This address and no other: one of the source's `addresses`. */
  readonly hostname: string | undefined;
  /** Only an address of this family will do. */
  readonly family: IpFamily | undefined;
  /** Where the first socket will lead, if that is known. */
  readonly target: Target | undefined;
  /** Whether nobody else on the host may have it at the same time. */
  readonly exclusive: boolean;
  /** Says of an address that it is of no use now: the table has it already, or it rests. */
  isUnusable(hostname: string): boolean;
}

/**
 * An address that a source has lent, until it is given back or its time is over.
 *
 * The contract behind which every home of addresses stands: a list, a DHCP server, a store that a
 * cluster shares.
 */
export interface AddressLease {
  /** The IP literal in normal form. */
  readonly hostname: string;
  /**
   * When it ends, on the clock of the table (`clock.now()`): the owner's own, which never goes back.
   * It is read at each use, so a source that renews by itself only moves it. Margins for the way
   * to a server and for clocks that differ are the source's business. Without it the lease does
   * not end by itself. What is over stays over: it never moves on from a time that has passed.
   */
  readonly expiresAtMs?: number;
  /**
   * When to renew it, on the same clock.
   *
   * @default {at half of the time that is left}
   */
  readonly renewAtMs?: number;
  /** Who has it, in the words of its home, such as the client identifier that a DHCP server knows. */
  readonly owner?: string;
  /**
   * A whole number in decimal that grows with every grant of this address, so that a store can refuse
   * an owner that was too slow (a fencing token).
   */
  readonly token?: string;
  /** Aborted when the lease is lost before its time. */
  readonly lost?: AbortSignal;
  /**
   * Make it last longer: when it resolves, `expiresAtMs` says how long. The table calls it when it
   * is time, while the address is in use. Rejects with `ADDRESS_LEASE_LOST` when there is nothing to
   * renew any more; any other failure is tried again until the lease ends.
   */
  renew?(): Promise<void>;
  /** Give it back; called once, also after it was lost. */
  release(): void | Promise<void>;
}

/**
 * Where an address table takes its addresses from.
 *
 * @example A source of one's own
 * ```ts
 * import { type AddressSource, AddressTable } from "@jackfield/jackfield/core";
 * import { memoryTransport } from "@jackfield/jackfield/testing";
 *
 * const free = ["10.0.0.1", "10.0.0.2"];
 * const source: AddressSource = {
 *   name: "my store",
 *   size: free.length,
 *   lease({ isUnusable }) {
 *     const at = free.findIndex((hostname) => !isUnusable(hostname));
 *     if (at < 0) return undefined;
 *     const [hostname] = free.splice(at, 1) as [string];
 *     return { hostname, release: () => void free.push(hostname) };
 *   },
 * };
 * const table = new AddressTable({ transport: memoryTransport(), source });
 * const descriptor = await table.create();
 * const during = free.length;
 * await table.close(descriptor);
 * if (during !== 1 || free.length < 2) throw new Error("unexpected");
 * ```
 */
export interface AddressSource {
  /** Stands in errors and in the table's state. */
  readonly name: string;
  /** How many addresses it can lease in all; rounded beyond 2^53. */
  readonly size: number;
  /**
   * The addresses it can lease, in normal form, where they are few and known beforehand: the table
   * shows them to its strategy before they are leased. A source without this list, or with an empty
   * one, chooses by itself.
   */
  readonly addresses?: readonly string[];
  /**
   * Told once by the table that will ask it; leases end on this clock.
   *
   * @throws {JackfieldError} `UNSUPPORTED` when the host lacks what the source needs.
   */
  start?(host: Host, clock: Clock): void;
  /** Read again what can be leased; called by the table's `refresh`. */
  refresh?(): void;
  /**
   * Lend an address; `undefined` when there is none that will do. A failure reaches the caller, such
   * as `ADDRESS_EXHAUSTED` of a home that cannot tell whether it is empty or out of reach.
   */
  lease(
    request: AddressLeaseRequest,
  ): AddressLease | undefined | Promise<AddressLease | undefined>;
}
