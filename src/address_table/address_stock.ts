import type { Strategy } from "../strategy/mod.ts";
import type { JackfieldError } from "../transport/mod.ts";
import { AddressChoice, type AddressNeed, type AddressRequest } from "./address_choice.ts";
import type { AddressLease } from "./address_source.ts";
import { type AddressCandidate, Candidate } from "./candidate.ts";
import { normalIp } from "./ip.ts";
import { type Eventually, isPromise, Lending } from "./lending.ts";
import type { Rests } from "./rests.ts";
import { ReuseRests } from "./reuse_rests.ts";
import { noAddressError } from "./table_errors.ts";
import type { TenureTerms } from "./tenure.ts";

/** What a stock is made of, besides the terms of each tenure. */
export interface StockOptions {
  /** Chooses among the addresses. */
  readonly strategy: Strategy<AddressCandidate, AddressRequest>;
  /** Which of them rest. */
  readonly rests: Rests;
  /** The most addresses in use at once. */
  readonly maxAddresses: number;
  /** The most descriptors on one address. */
  readonly maxSocketsPerAddress: number;
  /** How long an address rests when its last descriptor is gone. */
  readonly reuseRestMs: number;
}

/** An address that is reserved, and whether it is leased; a promise while that is not known. */
interface Attempt {
  readonly candidate: Candidate;
  readonly ready: Eventually<boolean>;
}

/** How many addresses are asked for when others on the host hold them. */
const MAX_TRIES = 256;

/** The addresses of a table: taken from the source when somebody needs them, and given back. */
export class AddressStock {
  #terms: TenureTerms;
  #options: StockOptions;
  #choice: AddressChoice;
  #candidates = new Map<string, Candidate>();
  /** Addresses that rest before they are used again. */
  #resting: ReuseRests;
  #lending: Lending;
  /** How many candidates have descriptors. */
  #inUse = 0;
  /** How many the source is asked for. */
  #drawing = 0;
  /** Counts addresses that have come from the source, or have gone back to it. */
  #changes = 0;
  /** Addresses on their way from the source, or back to it; these never reject. */
  #moves = new Set<Promise<void>>();
  /** What goes on without anybody who waits. */
  #pending = new Set<Promise<unknown>>();
  /** Whether the source chooses the addresses by itself. */
  #draws: boolean;

  /** Reads the source's list, if it has one. */
  constructor(terms: TenureTerms, options: StockOptions) {
    this.#terms = terms;
    this.#options = options;
    this.#choice = new AddressChoice(options.strategy, options.rests);
    this.#resting = new ReuseRests(terms.clock, options.reuseRestMs, (hostname) => {
      const candidate = this.#candidates.get(hostname);
      if (candidate !== undefined) this.#offer(candidate);
    });
    this.#lending = new Lending(terms, {
      isUnusable: (hostname, need) =>
        this.#candidates.has(hostname) || this.#resting.has(hostname) ||
        need.tried.has(hostname) || options.rests.find(hostname, need.destination) !== undefined,
      has: (hostname) => this.#candidates.has(hostname),
      changed: (candidate) => this.#offer(candidate),
      lost: (candidate, error) => this.#lost(candidate, error),
      keep: (promise) => this.#keep(promise),
    });
    terms.source.start?.(terms.transport.host, terms.clock);
    const listed = terms.source.addresses ?? [];
    this.#draws = listed.length === 0;
    for (const hostname of listed) this.#list(normalIp(hostname));
  }

  /** The addresses that are in use, or are being given back. */
  get candidates(): readonly Candidate[] {
    return [...this.#candidates.values()].filter(({ descriptors, tenure, isEnding }) =>
      descriptors > 0 || tenure !== undefined || isEnding
    );
  }

  /** The addresses that rest before they are used again. */
  get resting(): readonly string[] {
    this.#resting.wake();
    return this.#resting.hostnames;
  }

  /**
   * An address for one more descriptor; no promise when nothing has to be waited for.
   *
   * @throws {JackfieldError} `ADDRESS_EXHAUSTED`, or what the source or the interface says.
   */
  take(need: AddressNeed): Eventually<Candidate> {
    this.#resting.wake();
    if (need.target !== undefined && "path" in need.target) throw this.#noneFits(need);
    const first = this.#try(need);
    if (!isPromise(first) && first.ready === true) return first.candidate;
    return this.#keep(this.#takeSlowly(need, first));
  }

  /** One descriptor less; resolves, if it is a promise, when the address has gone back. */
  giveBack(candidate: Candidate): Promise<void> | undefined {
    candidate.descriptors--;
    if (candidate.lost !== undefined) return undefined;
    if (candidate.descriptors > 0) {
      this.#offer(candidate);
      return undefined;
    }
    this.#inUse--;
    const { tenure } = candidate;
    if (tenure === undefined) return void this.#ended(candidate, false);
    candidate.tenure = undefined;
    const ending = tenure.end();
    if (ending === undefined) return void this.#ended(candidate, true);
    candidate.isEnding = true;
    this.#choice.remove(candidate);
    return this.#keep(this.#move(ending.finally(() => this.#ended(candidate, true))));
  }

  /** Read the source's list again: new addresses join, others go when nobody has them. */
  refresh(): void {
    this.#terms.source.refresh?.();
    const listed = new Set((this.#terms.source.addresses ?? []).map(normalIp));
    for (const candidate of this.#candidates.values()) {
      if (!candidate.isListed || listed.has(candidate.hostname)) continue;
      candidate.isListed = false;
      this.#choice.remove(candidate);
      if (candidate.descriptors === 0 && !candidate.isEnding) {
        this.#candidates.delete(candidate.hostname);
      }
    }
    for (const hostname of listed) this.#list(hostname);
    this.#draws = listed.size === 0;
  }

  /** Resolves when nothing goes on any more. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  #list(hostname: string): void {
    const known = this.#candidates.get(hostname);
    if (known !== undefined) known.isListed = true;
    const candidate = known ?? new Candidate(hostname, true);
    this.#candidates.set(hostname, candidate);
    this.#offer(candidate);
  }

  async #takeSlowly(need: AddressNeed, attempt: Eventually<Attempt>): Promise<Candidate> {
    for (;;) {
      const { candidate, ready } = await attempt;
      try {
        if (await ready && candidate.lost === undefined) return candidate;
      } catch (error) {
        void this.giveBack(candidate);
        throw error;
      }
      need.tried.add(candidate.hostname); // Somebody else has it: the next one.
      void this.giveBack(candidate);
      attempt = this.#try(need);
    }
  }

  /** Reserve an address: one that the source chooses, or one that the strategy chooses. */
  #try(need: AddressNeed): Eventually<Attempt> {
    const draws = this.#draws && this.#inUse + this.#drawing < this.#options.maxAddresses &&
      need.tried.size < MAX_TRIES;
    const lease = draws ? this.#lending.ask(need) : undefined;
    if (!isPromise(lease)) {
      return lease === undefined ? this.#tryKnown(need, draws) : this.#adopt(lease);
    }
    this.#drawing++;
    return this.#move(lease.finally(() => this.#drawing--)).then((lease) =>
      lease === undefined ? this.#tryKnown(need, draws) : this.#adopt(lease)
    );
  }

  /** `wasRefused` is whether the source has no other one. */
  #tryKnown(need: AddressNeed, wasRefused: boolean): Eventually<Attempt> {
    const candidate = this.#pick(need);
    if (candidate === undefined) {
      if (this.#moves.size === 0) throw this.#noneFits(need);
      return this.#tryLater(need, wasRefused);
    }
    this.#reserve(candidate);
    if (candidate.tenure !== undefined) return { candidate, ready: true };
    if (candidate.taking !== undefined) return { candidate, ready: candidate.taking };
    try {
      const lease = this.#lending.ask(need, candidate.hostname);
      return { candidate, ready: this.#lending.begin(candidate, lease) };
    } catch (error) {
      void this.giveBack(candidate);
      throw error;
    }
  }

  /**
   * One that is on its way, to the table or back to the source, may do when it is there. Who was
   * refused waits for such a change: to ask again whenever another one was refused would never end.
   */
  async #tryLater(need: AddressNeed, wasRefused: boolean): Promise<Attempt> {
    const before = this.#changes;
    do {
      if (this.#moves.size === 0) throw this.#noneFits(need);
      await Promise.race(this.#moves);
    } while (wasRefused && this.#changes === before);
    return await this.#try(need);
  }

  #pick(need: AddressNeed): Candidate | undefined {
    for (;;) {
      const picked = this.#choice.pick(need);
      if (picked === undefined) return undefined;
      picked.tenure?.check(); // A lost one leaves the choice.
      this.#offer(picked); // So does one that drains.
      if (picked.available) return picked;
    }
  }

  /** Take over an address that the source has chosen. */
  #adopt(lease: AddressLease): Attempt {
    this.#lending.check(lease);
    const { hostname } = lease;
    const candidate = new Candidate(hostname, false);
    this.#changes++;
    this.#candidates.set(hostname, candidate);
    this.#reserve(candidate);
    try {
      return { candidate, ready: this.#lending.begin(candidate, lease) };
    } catch (error) {
      void this.giveBack(candidate);
      throw error;
    }
  }

  #noneFits(need: AddressNeed): JackfieldError {
    return noAddressError(this.#terms.source.name, need);
  }

  /** Count one descriptor more. */
  #reserve(candidate: Candidate): void {
    if (candidate.descriptors++ === 0) this.#inUse++;
    this.#offer(candidate);
  }

  /** Let the strategy see the candidate when it can be had, and only then. */
  #offer(candidate: Candidate): void {
    const { isListed, descriptors, tenure, isEnding, lost } = candidate;
    const canBeHad = lost === undefined && !isEnding &&
      descriptors < this.#options.maxSocketsPerAddress &&
      (isListed || descriptors > 0) && tenure?.isDraining !== true &&
      !this.#resting.has(candidate.hostname);
    if (!canBeHad) this.#choice.remove(candidate);
    else if (candidate.available) this.#choice.changed(candidate);
    else this.#choice.add(candidate);
  }

  /** Nobody has it any more, and it has been given back. */
  #ended(candidate: Candidate, wasUsed: boolean): void {
    const { hostname } = candidate;
    candidate.isEnding = false;
    this.#changes++;
    if (wasUsed) this.#resting.add(hostname);
    if (!candidate.isListed) this.#candidates.delete(hostname);
    this.#offer(candidate);
  }

  /** The lease is gone: everybody who uses the address is told, and it is given back. */
  #lost(candidate: Candidate, error: JackfieldError): void {
    const { hostname, tenure, isListed } = candidate;
    this.#choice.remove(candidate);
    candidate.lost = error;
    this.#inUse--;
    for (const user of candidate.users) user.lose(error);
    // Another one takes its place, when everything that belonged to this one is gone.
    const next = new Candidate(hostname, isListed);
    next.isEnding = true;
    this.#candidates.set(hostname, next);
    const over = () => this.#ended(next, true);
    let ending: Promise<void> | undefined;
    try {
      ending = tenure?.end();
    } catch (failure) {
      this.#terms.report(failure, "release");
    }
    if (ending === undefined) return over();
    const ended = ending.catch((failure) => this.#terms.report(failure, "release")).finally(over);
    void this.#keep(this.#move(ended));
  }

  /** An address is on its way until this settles. */
  #move<T>(promise: Promise<T>): Promise<T> {
    const there = () => void this.#moves.delete(moved);
    const moved: Promise<void> = promise.then(there, there);
    this.#moves.add(moved);
    return promise;
  }

  #keep<T>(promise: Promise<T>): Promise<T> {
    this.#pending.add(promise);
    const done = () => void this.#pending.delete(promise);
    promise.then(done, done);
    return promise;
  }
}
