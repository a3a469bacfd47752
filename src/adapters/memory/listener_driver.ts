import {
  AcceptQueue,
  type Clock,
  type ListenerDriver,
  type Socket,
  type SocketAddress,
} from "../../transport/mod.ts";
import type { MemoryFault } from "./faults.ts";

/** A place in memory that is listened on. */
export class MemoryListenerDriver implements ListenerDriver {
  readonly address: SocketAddress;
  #queue: AcceptQueue;
  #closed: () => void;
  /** Connections that stand, and that nobody is told of yet; each with what takes its timer back. */
  #unknown = new Map<Socket, () => void>();

  /** `closed` is told when nobody listens any more. */
  constructor(address: SocketAddress, maxPending: number | undefined, closed: () => void) {
    this.address = address;
    // No kernel holds what waits: with a bound, all of it waits here.
    const gate = maxPending === undefined ? undefined : { stop() {}, start() {} };
    this.#queue = new AcceptQueue(address, maxPending, { gate });
    this.#closed = closed;
  }

  /** Somebody has connected; what may go wrong is how he is accepted. */
  push(socket: Socket, fault: MemoryFault | undefined, clock: Clock): void {
    if (fault?.kind === "fail") {
      socket.abort();
      const message = "the connection was aborted before it was accepted"; // accept(2)
      this.#queue.fail(Object.assign(new Error(message), { code: "ECONNABORTED" }));
    } else if (fault?.kind === "hang") {
      this.#unknown.set(socket, () => {});
    } else if (fault?.kind === "delay") {
      const cancel = clock.schedule(fault.delayMs, () => {
        this.#unknown.delete(socket);
        this.#queue.push(socket);
      });
      this.#unknown.set(socket, cancel);
    } else this.#queue.push(socket);
  }

  accept(): Promise<Socket> {
    return this.#queue.take();
  }

  close(): void {
    this.#closed();
    for (const [socket, cancel] of this.#unknown) {
      cancel();
      socket.abort();
    }
    this.#unknown.clear();
    this.#queue.close();
  }

  ref(): void {}

  unref(): void {}
}
