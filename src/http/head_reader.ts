import { badHead, CR, DEFAULT_MAX_HEAD_BYTES, findHeadEnd, LF } from "./head.ts";

/** What a {@linkcode HeadReader} reads from, such as a socket. */
export interface ByteSource {
  /** Resolves to the count, or to `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
}

/** Where the next head comes from; what follows it stays here. */
export class HeadReader {
  #source: ByteSource;
  #maxBytes: number;
  #code: "HTTP_BAD_REQUEST" | "HTTP_BAD_RESPONSE";
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #start = 0;
  #end = 0;

  /** Reads heads of at most `maxBytes`; a longer or broken-off one is an error with this code. */
  constructor(
    source: ByteSource,
    code: "HTTP_BAD_REQUEST" | "HTTP_BAD_RESPONSE",
    maxBytes: number = DEFAULT_MAX_HEAD_BYTES,
  ) {
    this.#source = source;
    this.#code = code;
    this.#maxBytes = maxBytes;
  }

  /** Bytes that were read and do not belong to a head that was given out. */
  get unread(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Take out bytes of {@linkcode unread}, at most so many as `into` holds; resolves to the count. */
  take(into: Uint8Array): number {
    const count = Math.min(into.byteLength, this.#end - this.#start);
    into.set(this.#buffer.subarray(this.#start, this.#start + count));
    this.#start += count;
    return count;
  }

  /**
   * The next head, its empty line included; `undefined` when the stream ends before it begins.
   *
   * @throws {JackfieldError} `HTTP_BAD_REQUEST` or `HTTP_BAD_RESPONSE` when it is too long or broken
   * off; or what reading the source throws.
   */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let searched = 0;
    // An empty line before a request is ignored (RFC 9112, section 2.2).
    let skips = this.#code === "HTTP_BAD_REQUEST";
    for (;;) {
      if (skips && this.#end - this.#start >= 2) {
        skips = false;
        if (this.#buffer[this.#start] === CR && this.#buffer[this.#start + 1] === LF) {
          this.#start += 2;
          searched = 0;
        }
      }
      const unread = this.unread;
      const end = findHeadEnd(unread, searched);
      if (end !== undefined) {
        this.#start += end;
        return unread.slice(0, end);
      }
      searched = unread.byteLength;
      if (unread.byteLength >= this.#maxBytes) {
        throw badHead(this.#code, `head is longer than ${this.#maxBytes} bytes`);
      }
      this.#makeRoom();
      const count = await this.#source.read(this.#buffer.subarray(this.#end));
      if (count === null) {
        if (unread.byteLength === 0) return undefined;
        throw badHead(this.#code, "connection ended within the head");
      }
      this.#end += count;
    }
  }

  /** Make room behind the unread bytes: begin small, for most heads are. */
  #makeRoom(): void {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    if (this.#end < this.#buffer.byteLength) return;
    const unread = this.unread;
    const size = Math.min(Math.max(unread.byteLength * 2, 1024), this.#maxBytes);
    const bigger = new Uint8Array(size);
    bigger.set(unread);
    this.#buffer = bigger;
    this.#start = 0;
    this.#end = unread.byteLength;
  }
}
