import { createPool, type Pool } from "generic-pool";
import type { Socket } from "../../src/core.ts";
import { DONE, fill, type Held, type PoolSide, type Setup } from "./side.ts";

/** generic-pool. Its `release` is not awaited, as its README shows it: that is the faster way. */
export async function genericPoolSide(setup: Setup): Promise<PoolSide> {
  const side = new GenericPoolSide(setup);
  await fill(side, setup.sockets);
  return side;
}

class GenericPoolSide implements PoolSide {
  #pool: Pool<Socket>;

  constructor({ sockets, connect, timeoutMs }: Setup) {
    const destroy = (socket: Socket) => socket.close();
    const limit = timeoutMs === undefined ? {} : { acquireTimeoutMillis: timeoutMs };
    this.#pool = createPool({ create: connect, destroy }, { max: sockets, ...limit });
  }

  async awaited(count: number): Promise<void> {
    const pool = this.#pool;
    for (let i = 0; i < count; i++) void pool.release(await pool.acquire());
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
    let left = count;
    const task = async () => {
      while (left-- > 0) {
        const socket = await pool.acquire();
        await null;
        void pool.release(socket);
      }
    };
    await Promise.all(Array.from({ length: tasks }, task));
  }

  async lend(): Promise<Held> {
    const socket = await this.#pool.acquire();
    return { socket, giveBack: () => void this.#pool.release(socket) };
  }

  ask(): Promise<unknown> {
    return this.#pool.acquire();
  }

  close(): void {
    // `drain` would wait for who waits; the process ends anyway.
    void this.#pool.clear();
  }
}
