import type { RoomWaiter } from "./socket_driver.ts";
import type { SocketLife } from "./socket_life.ts";

/** The outgoing direction of a socket: writes one after the other, then the end. */
export class WritingHalf implements RoomWaiter {
  #life: SocketLife;
  /** Who waits for room; the driver tells it to this object, which has the turn meanwhile. */
  #told: RoomWaiter | undefined;

  /** Of a connection that stands. */
  constructor(life: SocketLife) {
    this.#life = life;
  }

  // No async function, for the same reason as `ReadingHalf.read`.
  /** See {@linkcode Socket.write}. */
  write(bytes: Uint8Array): Promise<number> {
    return this.#write(bytes, bytes.byteLength);
  }

  /** See {@linkcode Socket.writeSome}. */
  writeSome(bytes: Uint8Array): Promise<number> {
    return this.#write(bytes, Math.min(1, bytes.byteLength));
  }

  #write(bytes: Uint8Array, enough: number): Promise<number> {
    const life = this.#life;
    if (life.refusal !== undefined) return Promise.reject(life.refusal());
    if (life.writeFailure !== undefined) return Promise.reject(life.writeFailure);
    if (life.writeEnded) {
      return Promise.reject(life.error("SOCKET_CLOSED", "write", "its write side is closed"));
    }
    const turn = life.writes.take();
    if (turn !== undefined) return this.#send(bytes, 0, enough, turn);
    let count = 0;
    try {
      const result = bytes.byteLength === 0 ? 0 : life.driver.write(bytes);
      if (typeof result === "object") {
        return result.then(
          (count) => this.#taken(bytes, count, enough),
          (cause) => {
            throw this.#fail(cause);
          },
        );
      }
      if (result < enough) return this.#send(bytes, result, enough);
      count = result;
    } catch (cause) {
      return Promise.reject(this.#fail(cause));
    }
    life.writes.pass();
    return Promise.resolve(count);
  }

  /** See {@linkcode waitForRoom}. */
  waitForRoom(told: RoomWaiter): boolean {
    const life = this.#life;
    const { driver, writes } = life;
    const mayWrite = life.refusal === undefined && !life.writeEnded;
    if (!mayWrite || writes.taken || driver.waitForRoom === undefined) return false;
    if (!driver.waitForRoom(this)) return false;
    this.#told = told;
    void writes.take(); // Writes that are called meanwhile, and `close`, come after it.
    return true;
  }

  /** There may be room. */
  resolve(): void {
    const told = this.#told!;
    this.#told = undefined;
    this.#life.writes.pass();
    told.resolve();
  }

  /** There never will be. */
  reject(cause: unknown): void {
    const told = this.#told!;
    this.#told = undefined;
    told.reject(this.#fail(cause));
  }

  /** See {@linkcode Socket.closeWrite}. */
  async end(): Promise<void> {
    const life = this.#life;
    if (life.refusal !== undefined) throw life.refusal();
    if (life.writeEnded) return;
    life.writeEnded = true; // Writes that are called from now on are refused.
    const turn = life.writes.take();
    if (turn !== undefined) await turn;
    try {
      if (life.writeFailure !== undefined) throw life.writeFailure;
      await life.driver.closeWrite();
      life.endHalf("write");
    } catch (cause) {
      throw life.failWrite(cause);
    } finally {
      life.writes.pass();
    }
  }

  /** The first part of a write has been taken; most often it is enough. */
  #taken(bytes: Uint8Array, count: number, enough: number): number | Promise<number> {
    if (count < enough) return this.#send(bytes, count, enough);
    this.#life.writes.pass();
    return count;
  }

  #fail(cause: unknown): unknown {
    const failure = this.#life.failWrite(cause);
    this.#life.writes.pass();
    return failure;
  }

  /** Send until it is enough, once this write has its turn. */
  async #send(
    bytes: Uint8Array,
    sent: number,
    enough: number,
    turn?: Promise<void>,
  ): Promise<number> {
    const life = this.#life;
    if (turn !== undefined) await turn;
    try {
      while (sent < enough) {
        if (life.writeFailure !== undefined) throw life.writeFailure;
        const result = life.driver.write(sent === 0 ? bytes : bytes.subarray(sent));
        sent += typeof result === "number" ? result : await result;
      }
      return sent;
    } catch (cause) {
      throw life.failWrite(cause);
    } finally {
      life.writes.pass();
    }
  }
}
