import type { Clock, SocketAddress } from "../transport/mod.ts";
import type { GroupThread } from "./group_thread.ts";
import type { GroupListenOptions } from "./words.ts";
import { timeoutError } from "./worker_errors.ts";

/** How long to wait for the first thread. */
const LISTEN_MS = 30_000;

/** One port on which each thread of a group listens itself. */
export class GroupListener {
  #options: GroupListenOptions;
  #threads: readonly GroupThread[];
  #clock: Clock;
  /** The first thread that runs; the port that it gets is that of all. */
  #first = Promise.withResolvers<GroupThread>();
  #address: SocketAddress | undefined;

  /** Nobody listens yet. */
  constructor(options: GroupListenOptions, threads: readonly GroupThread[], clock: Clock) {
    this.#options = options;
    this.#threads = threads;
    this.#clock = clock;
    const running = threads.find(({ candidate }) => candidate.available);
    if (running !== undefined) this.#first.resolve(running);
  }

  /** Resolves to the address when all threads that run listen on it. */
  async begin(): Promise<SocketAddress> {
    const cancel = this.#clock.schedule(
      LISTEN_MS,
      () => this.fail(timeoutError("listen", LISTEN_MS, "no thread is running")),
    );
    const first = await this.#first.promise.finally(cancel);
    const address = await first.listen(this.#options);
    this.#address = address;
    const others = this.#threads.filter((thread) => thread !== first && thread.candidate.available);
    await Promise.all(others.map((thread) => this.up(thread)));
    return address;
  }

  /** No thread will come. */
  fail(error: unknown): void {
    this.#first.reject(error);
  }

  /** Have a thread that was just started listen, too. */
  async up(thread: GroupThread): Promise<void> {
    if (this.#address === undefined) return this.#first.resolve(thread);
    await thread.listen({ ...this.#options, port: this.#address.port });
  }
}
