import type { SocketLife } from "./socket_life.ts";

/** The outgoing direction of a socket: writes one after the other, then the end. */
export class WritingHalf {
  #life: SocketLife;
  /** What the driver was given and has not taken yet. */
  #writing: Uint8Array | undefined;

  /** Of a connection that stands. */
  constructor(life: SocketLife) {
    this.#life = life;
  }

  // No async function, for the same reason as `ReadingHalf.read`.
  /** See {@linkcode Socket.write}. */
  write(bytes: Uint8Array): Promise<number> {
    const life = this.#life;
    if (life.refusal !== undefined) return Promise.reject(life.refusal());
    if (life.writeFailure !== undefined) return Promise.reject(life.writeFailure);
    if (life.writeEnded) {
      return Promise.reject(life.error("SOCKET_CLOSED", "write", "its write side is closed"));
    }
    const turn = life.writes.take();
    if (turn !== undefined) return this.#send(bytes, 0, turn);
    try {
      const result = bytes.byteLength === 0 ? 0 : life.driver.write(bytes);
      if (typeof result === "object") {
        this.#writing = bytes;
        return result.then(this.#onWritten, this.#onFailure);
      }
      if (result < bytes.byteLength) return this.#send(bytes, result);
    } catch (cause) {
      const failure = life.failWrite(cause);
      life.writes.pass();
      return Promise.reject(failure);
    }
    life.writes.pass();
    return Promise.resolve(bytes.byteLength);
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

  /** The first part of a write has been taken; most often it is the whole. */
  #onWritten = (count: number): number | Promise<number> => {
    const bytes = this.#writing!;
    this.#writing = undefined;
    if (count < bytes.byteLength) return this.#send(bytes, count);
    this.#life.writes.pass();
    return count;
  };

  #onFailure = (cause: unknown): never => {
    this.#writing = undefined;
    const failure = this.#life.failWrite(cause);
    this.#life.writes.pass();
    throw failure;
  };

  /** Send what is left, once this write has its turn. */
  async #send(bytes: Uint8Array, sent: number, turn?: Promise<void>): Promise<number> {
    const life = this.#life;
    if (turn !== undefined) await turn;
    try {
      while (sent < bytes.byteLength) {
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
