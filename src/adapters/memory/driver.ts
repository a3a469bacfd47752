import type { Clock, DriverWatcher, ReadWaiter, SocketDriver } from "../../transport/mod.ts";
import { delay } from "../../transport/mod.ts";
import { faultFor, type MemoryFaults } from "./faults.ts";
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
  /** Ends what hangs, when this end is released. */
  #hanging: (() => void)[] = [];
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
    const maxBytes = await this.#suffer("write");
    if (this.#over || this.#ended) throw resetError();
    return await this.#wires.outgoing.write(bytes.subarray(0, maxBytes));
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
    const maxBytes = await this.#suffer("read");
    return await this.#wires.incoming.read(into.subarray(0, maxBytes), isWanted);
  }

  #release(): void {
    this.#over = true;
    for (const end of this.#hanging.splice(0)) end();
    this.#wires.released();
  }

  /** Let go wrong what is to; gives how many bytes the operation may move. */
  async #suffer(operation: "read" | "write"): Promise<number> {
    const fault = faultFor(this.#wires.faults, operation);
    switch (fault?.kind) {
      case undefined:
        return Infinity;
      case "delay":
        await delay(this.#wires.clock, fault.delayMs);
        return Infinity;
      case "short":
        return fault.maxBytes;
      case "hang":
        if (!this.#over) await new Promise<void>((resolve) => this.#hanging.push(resolve));
        throw resetError();
      default:
        this.abort();
        throw resetError();
    }
  }
}

/** What an end sees when the connection was reset. */
export function resetError(): Error {
  return Object.assign(new Error("connection reset by peer"), { code: "ECONNRESET" });
}
