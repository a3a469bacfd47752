import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** The head's lines, without the first one. */
  readonly head: string;
  readonly body: Buffer;
}

/**
 * A client of HTTP/1.1 over node:net, with a parser as small as can be: fast enough for a hundred
 * thousand requests, and nothing of it is ours.
 */
export class RawClient {
  #socket: Socket;
  #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.#length += chunk.byteLength;
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", end).on("close", end).on("error", () => {});
  }

  /** Connect to a port of this machine. */
  static connect(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      socket.once("error", reject).once("connect", () => resolve(new RawClient(socket)));
    });
  }

  /** Send as it is. */
  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** Take nothing more from the kernel. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Send the end of the stream. */
  sendEnd(): void {
    this.#socket.end();
  }

  /** Leave in good order, as far as that goes with bytes unread; resolves when it is done. */
  close(): Promise<void> {
    return this.#gone(() => this.#socket.destroy());
  }

  /** Leave with a reset. */
  reset(): Promise<void> {
    return this.#gone(() => this.#socket.resetAndDestroy());
  }

  /** The next answer; `hasBody` is false for those to HEAD. */
  async answer(hasBody = true): Promise<RawAnswer> {
    let end = -1;
    while ((end = this.#joined().indexOf("\r\n\r\n")) < 0) await this.#more();
    const text = this.#take(end + 4).toString("latin1");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
    const length = Number(/^content-length: (\d+)\r$/im.exec(text)?.[1] ?? NaN);
    if (Number.isNaN(status)) throw new Error(`no answer: ${JSON.stringify(text)}`);
    const without = !hasBody || status === 304;
    if (!without && Number.isNaN(length)) throw new Error(`no length: ${JSON.stringify(text)}`);
    const head = text.slice(text.indexOf("\r\n") + 2);
    return { status, head, body: without ? Buffer.alloc(0) : await this.#takeAll(length) };
  }

  /** At least so many bytes of whatever comes; they are forgotten. */
  async drop(least: number): Promise<void> {
    while (this.#length < least) await this.#more();
    this.#take(this.#length);
  }

  /** Whether the server ends the stream without another byte. */
  async endsHere(): Promise<boolean> {
    while (!this.#ended && this.#length === 0) await this.#wait();
    return this.#length === 0;
  }

  async #takeAll(length: number): Promise<Buffer> {
    while (this.#length < length) await this.#more();
    return this.#take(length);
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  #take(length: number): Buffer {
    const all = this.#joined();
    this.#chunks = [all.subarray(length)];
    this.#length -= length;
    return all.subarray(0, length);
  }

  async #more(): Promise<void> {
    const before = this.#length;
    if (this.#ended) throw new Error(`the connection ended after ${before} bytes`);
    await this.#wait();
    if (this.#length === before && this.#ended) {
      throw new Error(`the connection ended after ${before} bytes`);
    }
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  #gone(leave: () => void): Promise<void> {
    if (this.#socket.closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#socket.once("close", () => resolve());
      leave();
    });
  }
}
