import type { Socket } from "../../src/core.ts";
import { emptyHand, fill, type Held, type PoolSide, type Setup } from "./side.ts";

/**
 * The least that can be called a pool: an array of sockets and an array of who waits. It has no
 * limit of time, no way to give up, no look at the sockets and no idea of who has one.
 */
export async function stackSide(setup: Setup): Promise<PoolSide> {
  const side = new StackSide(setup);
  await fill(side, setup.sockets);
  return side;
}

class StackSide implements PoolSide {
  #idle: Socket[] = [];
  #waiting: ((socket: Socket) => void)[] = [];
  #first = 0;
  #connect: () => Promise<Socket>;
  #room: number;

  constructor({ sockets, connect }: Setup) {
    this.#connect = connect;
    this.#room = sockets;
  }

  #take(): Promise<Socket> {
    const socket = this.#idle.pop();
    if (socket !== undefined) return Promise.resolve(socket);
    if (this.#room > 0) {
      this.#room--;
      return this.#connect();
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #give(socket: Socket): void {
    if (this.#first === this.#waiting.length) {
      this.#idle.push(socket);
      return;
    }
    this.#waiting[this.#first++]!(socket);
    if (this.#first < 65_536 && this.#first < this.#waiting.length) return;
    this.#waiting.splice(0, this.#first); // Not with every one, for it moves all that follow.
    this.#first = 0;
  }

  async awaited(count: number): Promise<void> {
    for (let i = 0; i < count; i++) this.#give(await this.#take());
  }

  synchronous(count: number): void {
    const idle = this.#idle;
    for (let i = 0; i < count; i++) {
      const socket = idle.pop();
      if (socket === undefined) throw emptyHand();
      idle.push(socket);
    }
  }

  async contended(tasks: number, count: number): Promise<void> {
    let left = count;
    const task = async () => {
      while (left-- > 0) {
        const socket = await this.#take();
        await null;
        this.#give(socket);
      }
    };
    await Promise.all(Array.from({ length: tasks }, task));
  }

  async lend(): Promise<Held> {
    const socket = await this.#take();
    return { socket, giveBack: () => this.#give(socket) };
  }

  ask(): Promise<unknown> {
    return this.#take();
  }

  close(): void {}
}
