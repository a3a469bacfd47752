import { Pool } from "tarn";
import type { Socket } from "../../src/core.ts";
import { fill, type Held, type PoolSide, type Setup } from "./side.ts";

/** tarn. It limits every wait, by 30 s unless told otherwise, so it always has that cost. */
export async function tarnSide(setup: Setup): Promise<PoolSide> {
  const side = new TarnSide(setup);
  await fill(side, setup.sockets);
  return side;
}

class TarnSide implements PoolSide {
  #pool: Pool<Socket>;

  constructor({ sockets, connect, timeoutMs }: Setup) {
    this.#pool = new Pool<Socket>({
      create: connect,
      destroy: (socket) => socket.close(),
      min: 0,
      max: sockets,
      ...(timeoutMs === undefined ? {} : { acquireTimeoutMillis: timeoutMs }),
    });
  }

  async awaited(count: number): Promise<void> {
    const pool = this.#pool;
    for (let i = 0; i < count; i++) pool.release(await pool.acquire().promise);
  }

  async contended(tasks: number, count: number): Promise<void> {
    const pool = this.#pool;
    let left = count;
    const task = async () => {
      while (left-- > 0) {
        const socket = await pool.acquire().promise;
        await null;
        pool.release(socket);
      }
    };
    await Promise.all(Array.from({ length: tasks }, task));
  }

  async lend(): Promise<Held> {
    const socket = await this.#pool.acquire().promise;
    return { socket, giveBack: () => void this.#pool.release(socket) };
  }

  ask(): Promise<unknown> {
    return this.#pool.acquire().promise;
  }

  close(): void {
    void this.#pool.destroy();
  }
}
