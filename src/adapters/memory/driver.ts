import type { Clock, DriverWatcher, ReadWaiter, SocketDriver } from "../../transport/mod.ts";
import { delay } from "../../transport/mod.ts";
import type { MemoryFault, MemoryFaults } from "./faults.ts";
import type { Pipe } from "./pipe.ts";

/** What a connection in memory is made of. */
export interface MemoryWires {
  /** What the far end sends. */
  readonly incoming: Pipe;
  /** What goes to the far end. */
  readonly outgoing: Pipe;
  /** Times delays. */
  readonly clock: Clock;
  /** What goes wrong. */
  readonly faults: MemoryFaults | undefined;
  /** Told once when this end holds nothing any more. */
  released(): void;
}

/** One end of a connection in memory. */
export class MemoryDriver implements SocketDriver {
  #wires: MemoryWires;
  #over = false;
  #ended = false;
  /** Counts reads; only the last one is wanted. */
  #reads = 0;

  /** Takes over one end. */
  constructor(wires: MemoryWires) {
    this.#wires = wires;
  }

  get hasUnread(): boolean {
    return this.#wires.incoming.hasUnread;
  }

  read(into: Uint8Array, later: ReadWaiter): undefined {
    const read = ++this.#reads;
    const isWanted = () => read === this.#reads;
    this.#receive(into, isWanted).then((count) => {
      if (isWanted()) later.resolve(count);
    }, (error) => {
      if (isWanted()) later.reject(error);
    });
  }

  stopReading(): void {
    this.#reads++;
    this.#wires.incoming.stopReading();
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#suffer("write");
    if (this.#over || this.#ended) throw resetError();
    return await this.#wires.outgoing.write(bytes);
  }

  closeWrite(): void {
    this.#ended = true;
    this.#wires.outgoing.end();
  }

  close(): void {
    if (this.#over) return;
    this.#release();
    this.#wires.outgoing.end();
    // The far end may still read what was sent; it learns of the end when it writes.
    this.#wires.incoming.break(resetError());
  }

  abort(): void {
    if (this.#over) return;
    this.#release();
    this.#wires.outgoing.break(resetError());
    this.#wires.incoming.break(resetError());
  }

  watch(watcher: DriverWatcher): void {
    this.#wires.incoming.watcher = watcher;
  }

  async #receive(into: Uint8Array, isWanted: () => boolean): Promise<number | null> {
    await this.#suffer("read");
    return await this.#wires.incoming.read(into, isWanted);
  }

  #release(): void {
    this.#over = true;
    this.#wires.released();
  }

  async #suffer(operation: "read" | "write"): Promise<void> {
    const fault: MemoryFault | undefined = this.#wires.faults?.(operation);
    if (fault === undefined) return;
    if (fault.kind === "delay") return await delay(this.#wires.clock, fault.delayMs);
    this.abort();
    throw resetError();
  }
}

function resetError(): Error {
  return Object.assign(new Error("connection reset by peer"), { code: "ECONNRESET" });
}
