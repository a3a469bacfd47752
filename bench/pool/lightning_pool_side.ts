import { createPool, type Pool } from "lightning-pool";
import type { Socket } from "../../src/core.ts";
import { fill, type Held, type PoolSide, type Setup } from "./side.ts";

/** lightning-pool, with promises. */
export async function lightningPoolSide(setup: Setup): Promise<PoolSide> {
  const side = new LightningPoolSide(setup);
  await fill(side, setup.sockets);
  return side;
}

class LightningPoolSide implements PoolSide {
  #pool: Pool<Socket>;

  constructor({ sockets, connect, timeoutMs }: Setup) {
    const destroy = (socket: Socket) => socket.close();
    this.#pool = createPool({ create: connect, destroy }, {
      max: sockets,
      maxQueue: Number.MAX_SAFE_INTEGER,
      ...(timeoutMs === undefined ? {} : { acquireTimeoutMillis: timeoutMs }),
    });
  }

  async awaited(count: number): Promise<void> {
    const pool = this.#pool;
    for (let i = 0; i < count; i++) pool.release(await pool.acquire());
  }

  async contended(tasks: number, count: number): Promise<void> {
    const pool = this.#pool;
    let left = count;
    const task = async () => {
      while (left-- > 0) {
        const socket = await pool.acquire();
        await null;
        pool.release(socket);
      }
    };
    await Promise.all(Array.from({ length: tasks }, task));
  }

  async lend(): Promise<Held> {
    const socket = await this.#pool.acquire();
    return { socket, giveBack: () => this.#pool.release(socket) };
  }

  ask(): Promise<unknown> {
    return this.#pool.acquire();
  }

  close(): void {
    void this.#pool.closeAsync(true);
  }
}
