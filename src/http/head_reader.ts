import { badHead, type BadHeadCode } from "./bad_head.ts";
import { DEFAULT_MAX_HEAD_BYTES, findHeadEnd, hasBareLineFeed } from "./head.ts";
import { CR, LF, OCTETS, TOKEN_OCTET } from "./octets.ts";

const NOTHING = new Uint8Array(0);

/** What a {@linkcode HeadReader} reads from, such as a socket. */
export interface ByteSource {
  /** Resolves to the count, or to `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
}

/**
 * Where the next head comes from; what follows it stays here, for the next head or for whoever takes
 * it out. How long a head may take is the caller's to say: close or abort the source.
 *
 * @example
 * ```ts
 * import { HeadReader } from "@jackfield/jackfield/core";
 *
 * const pieces = ["GET /1 HTTP/1.0\r\n\r\nGET /2 HT", "TP/1.0\r\n\r\n"];
 * const reader = new HeadReader({
 *   read: (into) => {
 *     const piece = pieces.shift();
 *     if (piece === undefined) return Promise.resolve(null);
 *     return Promise.resolve(new TextEncoder().encodeInto(piece, into).written);
 *   },
 * }, "HTTP_BAD_REQUEST");
 * await reader.next();
 * const second = await reader.next();
 * if (new TextDecoder().decode(second).split("\r\n")[0] !== "GET /2 HTTP/1.0") {
 *   throw new Error("unexpected");
 * }
 * ```
 */
export class HeadReader {
  #source: ByteSource;
  #maxBytes: number;
  #code: BadHeadCode;
  #buffer: Uint8Array<ArrayBuffer>;
  #start = 0;
  #end: number;

  /**
   * Reads heads of at most `maxBytes`; a longer or broken-off one is an error with this code. `first`
   * was read before: the reader has it until its first head is given out.
   */
  constructor(
    source: ByteSource,
    code: BadHeadCode,
    maxBytes: number = DEFAULT_MAX_HEAD_BYTES,
    first: Uint8Array<ArrayBuffer> = NOTHING,
  ) {
    this.#source = source;
    this.#code = code;
    this.#maxBytes = maxBytes;
    this.#buffer = first;
    this.#end = first.byteLength;
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
   * A head that cannot become a good one any more is an error at once: what would be waited for
   * may never come.
   *
   * @throws {JackfieldError} `HTTP_BAD_REQUEST` (with the `status` of the answer: 400, 414, 431 or
   * 501) or `HTTP_BAD_RESPONSE` when it is too long, broken off, begins with what is no method, or
   * has a line that ends with a bare line feed; or what reading the source throws.
   */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const isRequest = this.#code === "HTTP_BAD_REQUEST";
    let searched = 0;
    // An empty line before a request is ignored (RFC 9112, section 2.2), but not two.
    let skips = isRequest;
    for (;;) {
      if (skips && this.#end - this.#start >= 2) {
        skips = false;
        if (this.#buffer[this.#start] === CR && this.#buffer[this.#start + 1] === LF) {
          this.#start += 2;
          searched = 0;
        }
      }
      const unread = this.unread;
      if (isRequest && unread.byteLength > 0 && !beginsRequest(unread, skips)) {
        throw badHead(this.#code, "it does not begin with a method");
      }
      const end = findHeadEnd(unread, searched);
      if (hasBareLineFeed(unread, searched, end ?? unread.byteLength)) {
        throw badHead(this.#code, "a line ends with a bare line feed");
      }
      if (end !== undefined) {
        this.#start += end;
        return unread.slice(0, end);
      }
      searched = unread.byteLength;
      if (unread.byteLength >= this.#maxBytes) throw this.#tooLong(unread);
      this.#makeRoom();
      const count = await this.#source.read(this.#buffer.subarray(this.#end));
      if (count === null) {
        if (unread.byteLength === 0) return undefined;
        throw badHead(this.#code, "connection ended within the head");
      }
      this.#end += count;
    }
  }

  /** Too long in its method (501: RFC 9112, section 3), its target (414) or its fields (431). */
  #tooLong(unread: Uint8Array): Error {
    const status = unread.includes(LF) ? 431 : unread.includes(32) ? 414 : 501;
    return badHead(this.#code, `head is longer than ${this.#maxBytes} bytes`, status);
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

/** Whether a request may begin so; while one empty line may come first, also with its first octet. */
function beginsRequest(unread: Uint8Array, skips: boolean): boolean {
  return (OCTETS[unread[0]!]! & TOKEN_OCTET) !== 0 || (skips && unread[0] === CR);
}
