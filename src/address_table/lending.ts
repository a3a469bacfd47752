import { JackfieldError } from "../transport/mod.ts";
import type { AddressNeed } from "./address_choice.ts";
import type { AddressLease } from "./address_source.ts";
import type { Candidate } from "./candidate.ts";
import { normalIp } from "./ip.ts";
import { Tenure, type TenureTerms } from "./tenure.ts";

/** What the lender of leases asks and tells the stock. */
export interface LendingOwner {
  /** Whether an address is of no use for a need. */
  isUnusable(hostname: string, need: AddressNeed): boolean;
  /** Whether the stock has an address already. */
  has(hostname: string): boolean;
  /** A tenure drains, or has been renewed. */
  changed(candidate: Candidate): void;
  /** A tenure is over before it was given back. */
  lost(candidate: Candidate, error: JackfieldError): void;
  /** Something goes on that nobody waits for. */
  keep<T>(promise: Promise<T>): Promise<T>;
}

/** A value, or a promise of it where somebody has to be waited for. */
export type Eventually<T> = T | Promise<T>;

/** Asks the source for leases, and has their tenures begin. */
export class Lending {
  #terms: TenureTerms;
  #owner: LendingOwner;

  /** For one stock. */
  constructor(terms: TenureTerms, owner: LendingOwner) {
    this.#terms = terms;
    this.#owner = owner;
  }

  /** A lease on this address, or on one that the source chooses. */
  ask(need: AddressNeed, hostname?: string): Eventually<AddressLease | undefined> {
    return this.#terms.source.lease({
      hostname,
      family: need.family,
      target: need.target,
      exclusive: this.#terms.exclusive,
      isUnusable: (address) => this.#owner.isUnusable(address, need),
    });
  }

  /** Refuse, and give back, what a source should not have chosen. */
  check(lease: AddressLease): void {
    const { hostname } = lease;
    try {
      if (normalIp(hostname) !== hostname) {
        throw new TypeError(`Cannot use address "${hostname}": expected it in normal form`);
      }
      if (this.#owner.has(hostname)) {
        const message = `Cannot use address ${hostname}: ${this.#terms.source.name} gave it twice`;
        throw new JackfieldError("ADDRESS_IN_USE", message, { localAddress: hostname });
      }
    } catch (error) {
      const released = (async () => await lease.release())();
      void this.#owner.keep(released.catch((failure) => this.#terms.report(failure, "release")));
      throw error;
    }
  }

  /** Have the candidate's tenure begin; whether it does, at once or when the promise resolves. */
  begin(
    candidate: Candidate,
    lease: Eventually<AddressLease | undefined>,
  ): Eventually<boolean> {
    if (lease === undefined) return false;
    const owner = {
      changed: () => this.#owner.changed(candidate),
      lost: (error: JackfieldError) => this.#owner.lost(candidate, error),
    };
    const begun = isPromise(lease)
      ? lease.then((lease) => lease && Tenure.begin(this.#terms, lease, owner))
      : Tenure.begin(this.#terms, lease, owner);
    if (!isPromise(begun)) {
      candidate.tenure = begun;
      return true;
    }
    const taking = begun.then((tenure) => {
      candidate.tenure = tenure;
      // Lost in the moment in which it began.
      if (candidate.lost !== undefined) void this.#owner.keep(Promise.resolve(tenure?.end()));
      return tenure !== undefined;
    }).finally(() => candidate.taking = undefined);
    return candidate.taking = taking;
  }
}

/** Whether somebody has to be waited for. */
export function isPromise<T>(value: Eventually<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === "function";
}
