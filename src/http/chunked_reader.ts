import { badHead, shorten } from "./bad_head.ts";
import type { ByteSource } from "./head_reader.ts";
import { CR, LF, OCTETS, VALUE_OCTET } from "./octets.ts";

/** The longest line with a chunk's size: extensions are allowed, and hardly ever used. */
const MAX_SIZE_LINE_BYTES = 256;
/** The most bytes of trailer fields, which nobody here reads. */
const MAX_TRAILER_BYTES = 8192;
/** Hexadecimal digits of a size that a number holds exactly. */
const MAX_SIZE_DIGITS = 13;

/**
 * The content of a chunked body (RFC 9112, section 7.1), read from what carries it.
 *
 * Strict: lines end with both octets, a size is hexadecimal digits and nothing else. Extensions and
 * trailer fields are read and left out. Large chunks go into the caller's buffer directly.
 *
 * @example
 * ```ts
 * import { ChunkedReader } from "@jackfield/jackfield/core";
 *
 * const pieces = ["5\r\nhello\r\n3;x=y\r\n wo\r\n0\r\n\r\nHTTP"];
 * const reader = new ChunkedReader({
 *   read: (into) => {
 *     const piece = pieces.shift();
 *     if (piece === undefined) return Promise.resolve(null);
 *     return Promise.resolve(new TextEncoder().encodeInto(piece, into).written);
 *   },
 * });
 * const buffer = new Uint8Array(64);
 * let text = "";
 * for (let count = await reader.read(buffer); count !== null; count = await reader.read(buffer)) {
 *   text += new TextDecoder().decode(buffer.subarray(0, count));
 * }
 * if (text !== "hello wo" || reader.unread.byteLength !== 4) throw new Error("unexpected");
 * ```
 */
export class ChunkedReader implements ByteSource {
  #source: ByteSource;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(1024);
  #start = 0;
  #end = 0;
  /** Bytes of the current chunk that are still to come. */
  #left = 0;
  #begun = false;
  #done = false;

  /** Reads from a source that stands behind the head. */
  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** Whether the last chunk and its trailer have been read. */
  get isDone(): boolean {
    return this.#done;
  }

  /** Bytes behind the body that were read too far. */
  get unread(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /**
   * Read content; resolves to the count, or to `null` behind the last chunk.
   *
   * @throws {JackfieldError} `HTTP_BAD_RESPONSE` when the coding is broken, or the source ends within
   * it; or what reading the source throws.
   */
  async read(into: Uint8Array): Promise<number | null> {
    if (this.#done) return null;
    if (this.#left === 0 && !await this.#nextChunk()) return null;
    const wanted = this.#left < into.byteLength ? into.subarray(0, this.#left) : into;
    const count = this.#takeBuffered(wanted) || await this.#source.read(wanted);
    if (count === null) throw broken("the connection ended within a chunk");
    this.#left -= count;
    return count;
  }

  #takeBuffered(into: Uint8Array): number {
    const count = Math.min(into.byteLength, this.#end - this.#start);
    if (count === 0) return 0;
    into.set(this.#buffer.subarray(this.#start, this.#start + count));
    this.#start += count;
    return count;
  }

  /** Read the size of the next chunk; `false` when it was the last one. */
  async #nextChunk(): Promise<boolean> {
    if (this.#begun && await this.#line(0) !== "") throw broken("a chunk is longer than its size");
    this.#begun = true;
    const line = await this.#line(MAX_SIZE_LINE_BYTES);
    const [, digits] = /^0*([0-9A-Fa-f]+)(?:[ \t]*;.*)?$/.exec(line) ?? [];
    if (digits === undefined) throw broken(`bad chunk size "${shorten(line)}"`);
    if (digits.length > MAX_SIZE_DIGITS) throw broken(`chunk of ${digits} bytes`);
    this.#left = Number.parseInt(digits, 16);
    if (this.#left > 0) return true;
    for (let left = MAX_TRAILER_BYTES;;) {
      const field = await this.#line(left);
      if (field === "") break;
      left -= field.length;
    }
    this.#done = true;
    return false;
  }

  /** The next line without its end; at most so many bytes. */
  async #line(maxBytes: number): Promise<string> {
    let text = "";
    for (;;) {
      const octet = await this.#octet();
      if (octet === CR) {
        if (await this.#octet() !== LF) throw broken("bare carriage return between chunks");
        return text;
      }
      if ((OCTETS[octet]! & VALUE_OCTET) === 0) throw broken("control character between chunks");
      if (text.length === maxBytes) {
        throw broken(maxBytes === 0 ? "a chunk is longer than its size" : "a line is too long");
      }
      text += String.fromCharCode(octet);
    }
  }

  async #octet(): Promise<number> {
    if (this.#start === this.#end) {
      const count = await this.#source.read(this.#buffer);
      if (count === null) throw broken("the connection ended between chunks");
      this.#start = 0;
      this.#end = count;
    }
    return this.#buffer[this.#start++]!;
  }
}

function broken(why: string): Error {
  return badHead("HTTP_BAD_RESPONSE", `broken chunked coding: ${why}`);
}
