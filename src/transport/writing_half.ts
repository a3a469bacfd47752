import type { SocketLife } from "./socket_life.ts";

/** The outgoing direction of a socket: writes one after the other, then the end. */
export class WritingHalf {
  #life: SocketLife;
  /** What the driver was given and has not taken yet, and how much of it is enough. */
  #writing: Uint8Array | undefined;
  #enough = 0;

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
        this.#writing = bytes;
        this.#enough = enough;
        return result.then(this.#onWritten, this.#onFailure);
      }
      if (result < enough) return this.#send(bytes, result, enough);
      count = result;
    } catch (cause) {
      const failure = life.failWrite(cause);
      life.writes.pass();
      return Promise.reject(failure);
    }
    life.writes.pass();
    return Promise.resolve(count);
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
  #onWritten = (count: number): number | Promise<number> => {
    const bytes = this.#writing!;
    this.#writing = undefined;
    if (count < this.#enough) return this.#send(bytes, count, this.#enough);
    this.#life.writes.pass();
    return count;
  };

  #onFailure = (cause: unknown): never => {
    this.#writing = undefined;
    const failure = this.#life.failWrite(cause);
    this.#life.writes.pass();
    throw failure;
  };

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
