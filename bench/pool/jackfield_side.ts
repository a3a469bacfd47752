import { type AcquireOptions, SocketPool, type SocketPoolOptions } from "../../src/core.ts";
import { idleTransport, TARGET } from "./idle_sockets.ts";
import { DONE, emptyHand, fill, type Held, type PoolSide, type Setup } from "./side.ts";

/** What one measurement adds to the pool and to each of its calls. */
export interface JackfieldOptions {
  /** For every `acquire`; none are given without it. */
  readonly acquire?: AcquireOptions;
  /** For the pool, beyond transport, target and bounds. */
  readonly pool?: Partial<SocketPoolOptions>;
}

/** The library's pool. */
export async function jackfieldSide(
  setup: Setup,
  options: JackfieldOptions = {},
): Promise<PoolSide> {
  const side = new JackfieldSide(setup, options);
  await fill(side, setup.sockets);
  return side;
}

class JackfieldSide implements PoolSide {
  #pool: SocketPool;
  #options: AcquireOptions | undefined;

  constructor({ sockets, connect, timeoutMs }: Setup, options: JackfieldOptions) {
    this.#options = timeoutMs === undefined ? options.acquire : { ...options.acquire, timeoutMs };
    this.#pool = new SocketPool({
      transport: idleTransport(connect),
      target: TARGET,
      maxSize: sockets,
      maxWaiting: Infinity,
      ...options.pool,
    });
  }

  async awaited(count: number): Promise<void> {
    const pool = this.#pool;
    const options = this.#options;
    if (options !== undefined) {
      for (let i = 0; i < count; i++) (await pool.acquire(options)).release();
      return;
    }
    for (let i = 0; i < count; i++) (await pool.acquire()).release();
  }

  synchronous(count: number): void {
    const pool = this.#pool;
    for (let i = 0; i < count; i++) {
      const lease = pool.tryAcquire();
      if (lease === undefined) throw emptyHand();
      lease.release();
    }
  }

  async use(count: number): Promise<void> {
    const pool = this.#pool;
    let used = 0;
    const task = () => {
      used++;
      return DONE;
    };
    for (let i = 0; i < count; i++) await pool.use(task);
    if (used !== count) throw new Error(`${used} of ${count} tasks ran`);
  }

  async contended(tasks: number, count: number): Promise<void> {
    const pool = this.#pool;
    const options = this.#options;
    let left = count;
    const task = async () => {
      while (left-- > 0) {
        const lease = await (options === undefined ? pool.acquire() : pool.acquire(options));
        await null;
        lease.release();
      }
    };
    await Promise.all(Array.from({ length: tasks }, task));
  }

  async lend(): Promise<Held> {
    const lease = await this.#pool.acquire(this.#options);
    return { socket: lease.socket, giveBack: () => lease.release() };
  }

  ask(): Promise<unknown> {
    return this.#pool.acquire(this.#options);
  }

  close(): void {
    this.#pool.abort();
  }
}
