import type { AddressNeed } from "./address_choice.ts";
import type { AddressStock } from "./address_stock.ts";
import { Candidate } from "./candidate.ts";
import { Entry } from "./entry.ts";
import {
  descriptorInUse,
  tableClosed,
  tooManyDescriptors,
  unknownDescriptor,
} from "./table_errors.ts";
import { unlessAborted } from "./unless_aborted.ts";

/** The descriptors that a table has issued, and what stands behind each. */
export class Descriptors {
  #stock: AddressStock;
  #limit: number;
  #report: (error: unknown, stage: string) => void;
  #entries = new Map<number, Entry>();
  /** How many wait for their address. */
  #creating = 0;
  #next = 1;
  #closing = new Set<Promise<void>>();
  #closed = false;

  /** `report` is told of an address that could not be given back while nobody waits for it. */
  constructor(
    stock: AddressStock,
    limit: number,
    report: (error: unknown, stage: string) => void,
  ) {
    this.#stock = stock;
    this.#limit = limit;
    this.#report = report;
  }

  /** How many are issued. */
  get size(): number {
    return this.#entries.size;
  }

  /** Those that are issued. */
  get numbers(): readonly number[] {
    return [...this.#entries.keys()];
  }

  /** Issue one; no promise when its address can be had at once. */
  create(need: AddressNeed, signal?: AbortSignal): Entry | Promise<Entry> {
    if (this.#closed) throw tableClosed();
    if (this.#entries.size + this.#creating >= this.#limit) throw tooManyDescriptors(this.#limit);
    signal?.throwIfAborted();
    const taken = this.#stock.take(need);
    if (taken instanceof Candidate) return this.#issue(taken);
    this.#creating++;
    const issued = taken.finally(() => this.#creating--).then((candidate) =>
      this.#issue(candidate)
    );
    return unlessAborted(issued, signal, (entry) => this.drop(entry));
  }

  /** What stands behind a descriptor, and whether its address can still be used. */
  use(descriptor: number, operation: string): Entry {
    const entry = this.find(descriptor, operation);
    entry.candidate.tenure?.check();
    if (entry.lost !== undefined) throw entry.lost;
    return entry;
  }

  /** The same, for what must not be connected, connecting or listening. */
  useIdle(descriptor: number, operation: string): Entry {
    const entry = this.use(descriptor, operation);
    const { occupation } = entry;
    if (occupation === undefined) return entry;
    throw descriptorInUse(descriptor, operation, occupation);
  }

  /** What stands behind a descriptor. */
  find(descriptor: number, operation: string): Entry {
    const entry = this.#entries.get(descriptor);
    if (entry === undefined) throw unknownDescriptor(descriptor, operation);
    return entry;
  }

  /**
   * Close what a descriptor has open, forget it and give its address back. Nobody waits for a connect
   * that cannot be cancelled.
   */
  close(entry: Entry, cannotCancel: boolean): Promise<void> {
    this.#entries.delete(entry.descriptor); // From now on the descriptor is unknown.
    entry.closed = true;
    entry.stop?.(unknownDescriptor(entry.descriptor, "connect"));
    const open = [entry.listener, entry.socket, ...entry.accepted ?? []];
    return this.#keep((async () => {
      await Promise.all(open.map((one) => one?.close()));
      const removed = this.#giveBack(entry);
      if (!cannotCancel) return await removed;
      this.#keep(removed).catch((error) => this.#report(error, "release"));
    })());
  }

  /** Forget a descriptor whose socket is gone, when nobody waits for its address to go back. */
  drop(entry: Entry): void {
    this.#entries.delete(entry.descriptor);
    if (entry.closed) return;
    entry.closed = true;
    this.#keep(this.#giveBack(entry)).catch((error) => this.#report(error, "release"));
  }

  /** Resolves when everything that is closed has been given back. */
  async settled(): Promise<void> {
    while (this.#closing.size > 0) await Promise.allSettled(this.#closing);
  }

  /** Issue no more. */
  end(): void {
    this.#closed = true;
  }

  /** Give address and port back, as soon as nothing uses them any more. */
  async #giveBack(entry: Entry): Promise<void> {
    entry.letGo();
    if (entry.socket?.state === "gone") entry.leave?.(); // Nobody waits for another owner.
    // The kernel may still have the connection, or the connect, on its way to the end.
    if (entry.used?.isHeld) await entry.used.gone;
    else if (entry.pending !== undefined) await entry.pending;
    await this.#stock.giveBack(entry.candidate);
  }

  #keep(closing: Promise<void>): Promise<void> {
    this.#closing.add(closing);
    const done = () => void this.#closing.delete(closing);
    closing.then(done, done);
    return closing;
  }

  #issue(candidate: Candidate): Entry {
    const entry = new Entry(this.#next++, candidate);
    if (!this.#closed && entry.lost === undefined) {
      this.#entries.set(entry.descriptor, entry);
      return entry;
    }
    this.drop(entry);
    throw entry.lost ?? tableClosed();
  }
}
