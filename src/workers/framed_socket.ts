import { assertTimeout, type Socket, type SocketAddress } from "../transport/mod.ts";
import { invalidError } from "./worker_errors.ts";

/**
 * Says where the first request in `bytes` ends: its length, or `undefined` while it is not complete.
 *
 * It is called again when more has come; `seen` is how many of the bytes it was shown before, so that
 * a search can go on where it stopped. What it throws ends the connection.
 */
export type Framing = (bytes: Uint8Array, seen: number) => number | undefined;

/** Options of {@linkcode WorkerGroup.serveFramed}. */
export interface FramedOptions {
  /** Cuts what comes into requests. */
  readonly frame: Framing;
  /** Goes along with every request, as a structured clone; strategies see it too. */
  readonly data?: unknown;
  /**
   * How long a request may be. A peer that sends a longer one is aborted.
   *
   * @default {1_048_576}
   */
  readonly maxRequestBytes?: number;
  /**
   * How many requests may be on their way through the workers; the next is not read before the first
   * of them is answered and the answer is with the kernel.
   *
   * @default {16}
   */
  readonly maxInFlight?: number;
  /**
   * Milliseconds for a request to find a thread and be answered; `Infinity` for no limit.
   *
   * @default {60_000}
   */
  readonly timeoutMs?: number;
  /** Bytes that were read already; they come first. */
  readonly unread?: Uint8Array;
  /**
   * The answer to a request that could not be served, in the place of the handler's: the handler
   * threw, its thread died, or the time was over. Without it, the connection is aborted then.
   */
  readonly onFailure?: (error: unknown) => Uint8Array | undefined;
}

/** Has a request answered. */
export type Ask = (
  bytes: Uint8Array<ArrayBuffer>,
  data: unknown,
  remoteAddress: SocketAddress,
  timeoutMs: number,
) => Promise<Uint8Array | undefined>;

/** How much is read at first; more when a request is longer. */
const FIRST_BYTES = 16 * 1024;

interface Settings extends Required<Pick<FramedOptions, "maxRequestBytes" | "maxInFlight">> {
  readonly timeoutMs: number;
}

/** Check the options before anything is read. */
export function checkFramed(options: FramedOptions): Settings {
  const { frame, maxRequestBytes = 2 ** 20, maxInFlight = 16, timeoutMs = 60_000 } = options;
  if (typeof frame !== "function") {
    throw new TypeError(`Cannot use frame "${String(frame)}": expected a function`);
  }
  for (const [name, value] of Object.entries({ maxRequestBytes, maxInFlight })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Cannot use ${name} "${value}": expected an integer of at least 1`);
    }
  }
  assertTimeout(timeoutMs);
  return { maxRequestBytes, maxInFlight, timeoutMs };
}

/**
 * One socket whose requests are answered by many workers.
 *
 * ```text
 * bytes ─▶ frame ─▶ request 1 ─▶ worker a ─┐
 *                   request 2 ─▶ worker b ─┤ answers wait for those before them
 *                   request 3 ─▶ worker a ─┴─▶ answer 1, answer 2, answer 3 ─▶ socket
 * ```
 */
export class FramedSocket {
  #socket: Socket;
  #options: FramedOptions;
  #settings: Settings;
  #ask: Ask;
  /** What was read and is not cut yet stands from `#from` to `#to`. */
  #buffer: Uint8Array<ArrayBuffer>;
  #from = 0;
  #to = 0;
  /** How many of these `frame` was shown in vain. */
  #seen = 0;
  #inFlight = 0;
  #room: (() => void) | undefined;
  /** Resolves when the answers so far are with the kernel; it never rejects. */
  #answered: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #isFinishing = false;
  #isReading = false;

  /** Reads nothing yet. */
  constructor(socket: Socket, options: FramedOptions, ask: Ask) {
    this.#socket = socket;
    this.#options = options;
    this.#settings = checkFramed(options);
    this.#ask = ask;
    const { unread } = options;
    const { maxRequestBytes } = this.#settings;
    const size = Math.max(Math.min(FIRST_BYTES, maxRequestBytes), unread?.byteLength ?? 0);
    this.#buffer = new Uint8Array(size);
    if (unread === undefined) return;
    this.#buffer.set(unread);
    this.#to = unread.byteLength;
  }

  /** Resolves when the peer has ended and has every answer; the socket is closed then. */
  async run(): Promise<void> {
    try {
      do await this.#cut(); while (await this.#read());
    } catch (error) {
      this.#fail(error);
    }
    await this.#answered;
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#socket.close();
  }

  /** Read no further request, and close when the answers so far are with the kernel. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    this.#room?.();
    await this.#answered;
    if (this.#isReading) await this.#socket.close(); // The read ends with it.
  }

  /** End it now. */
  abort(error: unknown): void {
    this.#fail(error);
  }

  get #isOver(): boolean {
    return this.#failure !== undefined || this.#isFinishing;
  }

  /** Send the requests that are complete on their way. */
  async #cut(): Promise<void> {
    while (this.#to > this.#from && !this.#isOver) {
      const bytes = this.#buffer.subarray(this.#from, this.#to);
      const length = this.#options.frame(bytes, this.#seen);
      if (length === undefined) {
        this.#seen = bytes.byteLength;
        return;
      }
      if (!Number.isInteger(length) || length < 1 || length > bytes.byteLength) {
        throw invalidError(
          this.#socket.remoteAddress,
          `frame gave the length "${length}" for ${bytes.byteLength} bytes`,
        );
      }
      this.#checkLength(length);
      this.#from += length;
      this.#seen = 0;
      if (this.#inFlight === this.#settings.maxInFlight) {
        await new Promise<void>((resolve) => this.#room = resolve);
        if (this.#isOver) return;
      }
      this.#send(bytes.slice(0, length));
    }
  }

  #send(request: Uint8Array<ArrayBuffer>): void {
    const { remoteAddress } = this.#socket;
    const { data, onFailure } = this.#options;
    this.#inFlight++;
    const answer = this.#ask(request, data, remoteAddress, this.#settings.timeoutMs)
      .catch((error) => {
        if (onFailure === undefined) throw error;
        return onFailure(error);
      });
    answer.catch(() => {}); // It is looked at in its turn.
    this.#answered = this.#answered.then(async () => {
      try {
        const bytes = await answer;
        if (bytes !== undefined && this.#failure === undefined) await this.#socket.write(bytes);
      } catch (error) {
        this.#fail(error);
      }
      this.#inFlight--;
      this.#room?.();
    });
  }

  /** Read more; `false` at the end. */
  async #read(): Promise<boolean> {
    if (this.#isOver) return false;
    this.#checkLength(this.#to - this.#from + 1);
    this.#makeRoom();
    this.#isReading = true;
    let count: number | null;
    try {
      count = await this.#socket.read(this.#buffer.subarray(this.#to));
    } catch (error) {
      if (this.#isFinishing) return false;
      throw error;
    } finally {
      this.#isReading = false;
    }
    if (count !== null) {
      this.#to += count;
      return true;
    }
    if (this.#to > this.#from) {
      throw invalidError(this.#socket.remoteAddress, "the stream ended within a request");
    }
    return false;
  }

  #makeRoom(): void {
    const held = this.#to - this.#from;
    if (this.#from > 0) {
      this.#buffer.copyWithin(0, this.#from, this.#to);
      this.#from = 0;
      this.#to = held;
    }
    if (held < this.#buffer.byteLength) return;
    const larger = new Uint8Array(Math.min(held * 2, this.#settings.maxRequestBytes));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }

  #checkLength(length: number): void {
    const { maxRequestBytes } = this.#settings;
    if (length <= maxRequestBytes) return;
    const why = `a request is longer than ${maxRequestBytes} bytes`;
    throw invalidError(this.#socket.remoteAddress, why, maxRequestBytes);
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#socket.abort(error);
    this.#room?.();
  }
}
