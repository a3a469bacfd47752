import {
  type Clock,
  isJackfieldError,
  JackfieldError,
  type Listener,
  type Transport,
} from "../transport/mod.ts";
import { Assignment, type AssignPlan } from "./assignment.ts";
import type { AddressLease, AddressSource } from "./address_source.ts";
import { holdAddress } from "./exclusive_hold.ts";

/** What holds for every address of a table. */
export interface TenureTerms {
  /** Holds exclusive addresses, and adds addresses to interfaces. */
  readonly transport: Transport;
  /** Lends the addresses. */
  readonly source: AddressSource;
  /** Times them. */
  readonly clock: Clock;
  /** Whether an address is held against the other processes of the host. */
  readonly exclusive: boolean;
  /** Whether it is added to an interface. */
  readonly assign: AssignPlan | undefined;
  /** For so long before its end it serves no new descriptor. */
  readonly drainMs: number;
  /** Told of failures that nobody waits for. */
  report(error: unknown, stage: string): void;
}

/** Who is told how a tenure goes on. */
export interface TenureOwner {
  /** It drains, or it has been renewed. */
  changed(): void;
  /** It is over before it was given back. */
  lost(error: JackfieldError): void;
}

/** The shortest time between two tries to renew. */
const MIN_RENEW_MS = 250;

/** An address in the hands of the table: leased, held and assigned, until it is given back. */
export class Tenure {
  /** What the source has lent. */
  readonly lease: AddressLease;
  #terms: TenureTerms;
  #owner: TenureOwner;
  #hold: Listener | undefined;
  #assignment: Assignment | undefined;
  /** The lease and the assignment are renewed each at its own time: neither waits for the other. */
  #leaseRenewal: Renewal;
  #assignRenewal: Renewal;
  #cancel: (() => void) | undefined;
  #over = false;
  #ended = false;

  private constructor(terms: TenureTerms, lease: AddressLease, owner: TenureOwner) {
    this.#terms = terms;
    this.lease = lease;
    this.#owner = owner;
    this.#leaseRenewal = new Renewal(() => this.#renewLease());
    this.#assignRenewal = new Renewal(() => this.#assignment!.renew(this.#leaseEndsAtMs));
  }

  /**
   * Begin with a lease. Resolves to `undefined`, with the lease given back, when another process of
   * the host holds the address; it is no promise when nothing has to be waited for.
   *
   * @throws {JackfieldError} `ADDRESS_LEASE_LOST` for a lease that is over already,
   * `ADDRESS_ASSIGN_FAILED` or `UNSUPPORTED`.
   */
  static begin(
    terms: TenureTerms,
    lease: AddressLease,
    owner: TenureOwner,
  ): Tenure | Promise<Tenure | undefined> {
    const tenure = new Tenure(terms, lease, owner);
    if (terms.exclusive || terms.assign !== undefined) return tenure.#secure();
    return tenure.isOver ? tenure.#secure() : tenure.#start();
  }

  /** When it ends unless it is renewed; `Infinity` for never. Read anew each time. */
  get endsAtMs(): number {
    return Math.min(this.#leaseEndsAtMs, this.#assignment?.untilMs ?? Infinity);
  }

  /** Whether it has ended. Looked at before each use, for a timer may come late. */
  get isOver(): boolean {
    if (this.#over || this.lease.lost?.aborted === true) return true;
    const { endsAtMs } = this;
    return endsAtMs !== Infinity && this.#terms.clock.now() >= endsAtMs;
  }

  /** Whether it serves no new descriptor, for its end is near. */
  get isDraining(): boolean {
    if (this.isOver) return true;
    const { endsAtMs } = this;
    return endsAtMs !== Infinity && this.#terms.clock.now() >= endsAtMs - this.#terms.drainMs;
  }

  /** Tell the owner that it is over, if it is: once. */
  check(): void {
    if (!this.#over && this.isOver) this.#lose(this.#lostError("it has expired"));
  }

  /** Give everything back; rejects with the first failure when all has been tried. */
  end(): Promise<void> | undefined {
    if (this.#ended) return undefined;
    this.#ended = this.#over = true;
    this.#cancel?.();
    this.lease.lost?.removeEventListener("abort", this.#onLost);
    if (this.#assignment !== undefined || this.#hold !== undefined) return this.#giveBack();
    try {
      return this.lease.release() ?? undefined;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #secure(): Promise<Tenure | undefined> {
    const { transport, exclusive, assign, clock } = this.#terms;
    const { hostname } = this.lease;
    try {
      if (this.isOver) throw this.#lostError("it was over before it began");
      if (exclusive) {
        this.#hold = await holdAddress(transport, hostname);
        if (this.#hold === undefined) {
          await this.end();
          return undefined;
        }
      }
      if (assign !== undefined) {
        const interfaces = transport.host.interfaces!;
        const endsAtMs = this.#leaseEndsAtMs;
        this.#assignment = await Assignment.begin(assign, clock, interfaces, hostname, endsAtMs);
        if (this.#assignment === undefined) throw this.#lostError("it ends at once");
      }
      if (this.isOver) throw this.#lostError("it was over before it began");
      return this.#start();
    } catch (error) {
      try {
        await this.end();
      } catch (other) {
        this.#terms.report(other, "release");
      }
      throw error;
    }
  }

  #start(): this {
    this.lease.lost?.addEventListener("abort", this.#onLost, { once: true });
    this.#planLease(true);
    this.#planAssignment();
    this.#arm();
    return this;
  }

  #onLost = (): void => {
    const reason = this.lease.lost!.reason;
    this.#lose(
      isJackfieldError(reason, "ADDRESS_LEASE_LOST")
        ? reason
        : this.#lostError("its source took it back", reason),
    );
  };

  #lose(error: JackfieldError): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancel?.();
    this.#owner.lost(error);
  }

  get #leaseEndsAtMs(): number {
    return this.lease.expiresAtMs ?? Infinity;
  }

  #planLease(isNew: boolean): void {
    const { renew, renewAtMs } = this.lease;
    if (renew === undefined) return;
    // Of a new one it may have passed already; later that means that renewing has failed.
    const isWanted = renewAtMs !== undefined && (isNew || renewAtMs > this.#terms.clock.now());
    this.#leaseRenewal.atMs = isWanted ? renewAtMs : this.#halfOf(this.#leaseEndsAtMs);
  }

  #planAssignment(): void {
    const isOutlasted = this.#assignment?.isOutlasted(this.#leaseEndsAtMs) === true;
    this.#assignRenewal.atMs = isOutlasted ? this.#halfOf(this.#assignment!.untilMs) : Infinity;
  }

  /** When half of the time that is left has passed. */
  #halfOf(endMs: number): number {
    if (endMs === Infinity) return Infinity;
    const nowMs = this.#terms.clock.now();
    return nowMs + Math.max((endMs - nowMs) / 2, MIN_RENEW_MS);
  }

  /** One timer for what comes next: renewing, draining or the end. */
  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const { endsAtMs } = this;
    const nowMs = this.#terms.clock.now();
    const drainAtMs = endsAtMs - this.#terms.drainMs;
    const nextMs = Math.min(
      endsAtMs,
      drainAtMs > nowMs ? drainAtMs : Infinity,
      this.#leaseRenewal.nextMs,
      this.#assignRenewal.nextMs,
    );
    if (nextMs === Infinity || this.#over) return;
    this.#cancel = this.#terms.clock.schedule(Math.max(0, nextMs - nowMs), () => this.#tick());
  }

  #tick(): void {
    this.#cancel = undefined;
    this.check();
    if (this.#over) return;
    const nowMs = this.#terms.clock.now();
    if (nowMs >= this.#leaseRenewal.nextMs) void this.#run(this.#leaseRenewal);
    if (nowMs >= this.#assignRenewal.nextMs) void this.#run(this.#assignRenewal);
    this.#owner.changed();
    this.#arm();
  }

  async #renewLease(): Promise<void> {
    const endsAtMs = this.#leaseEndsAtMs;
    await this.lease.renew!();
    // This process may have been stopped meanwhile: what was over is not used again.
    if (this.#terms.clock.now() >= endsAtMs) throw this.#lostError("it was renewed too late");
    // It may stay on the interface for longer now.
    if (this.#assignment !== undefined) this.#assignRenewal.atMs = this.#terms.clock.now();
  }

  async #run(renewal: Renewal): Promise<void> {
    renewal.isRunning = true;
    try {
      await renewal.run();
    } catch (error) {
      if (isJackfieldError(error, "ADDRESS_LEASE_LOST")) this.#lose(error);
      else if (!this.#over) this.#terms.report(error, "renew");
    }
    renewal.isRunning = false;
    if (this.#over) return;
    this.check();
    if (this.#over) return;
    if (renewal === this.#leaseRenewal) this.#planLease(false);
    else this.#planAssignment();
    this.#owner.changed();
    this.#arm();
  }

  async #giveBack(): Promise<void> {
    const failures: unknown[] = [];
    for (
      const step of [
        () => this.#assignment?.remove(),
        () => this.#hold?.close(),
        () => this.lease.release(),
      ]
    ) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #lostError(why: string, cause?: unknown): JackfieldError {
    const { hostname } = this.lease;
    return new JackfieldError(
      "ADDRESS_LEASE_LOST",
      `Cannot use address ${hostname}: its lease is lost, ${why}`,
      { localAddress: hostname, cause },
    );
  }
}

/** Something that is renewed from time to time. */
class Renewal {
  /** What is done. */
  readonly run: () => Promise<void>;
  /** When it is due; `Infinity` for never. */
  atMs = Infinity;
  /** Whether it is on its way. */
  isRunning = false;

  constructor(run: () => Promise<void>) {
    this.run = run;
  }

  /** When it is to begin, unless it is on its way. */
  get nextMs(): number {
    return this.isRunning ? Infinity : this.atMs;
  }
}
