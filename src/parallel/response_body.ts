import { type ByteSource, ChunkedReader, type HeadReader, type ResponseHead } from "../http/mod.ts";
import { JackfieldError } from "../transport/mod.ts";
import { badResponse } from "./failures.ts";

/**
 * The content of an answer, to exactly where it ends: after its length, behind its last chunk, or with
 * the connection (RFC 9112, section 6.3).
 */
export class ResponseBody {
  /** How many bytes it has; `undefined` when nobody knows before its end. */
  readonly length: number | undefined;
  /** Whether it ends by itself, and not only with the connection. */
  readonly hasOwnEnd: boolean;
  #reader: HeadReader;
  #source: ByteSource;
  #chunks: ChunkedReader | undefined;
  #left: number;
  #ended = false;

  /**
   * What follows a head.
   *
   * @throws {JackfieldError} `HTTP_BAD_RESPONSE` for a transfer coding that is not just `chunked`.
   */
  constructor(head: ResponseHead, reader: HeadReader, socket: ByteSource) {
    this.length = head.contentLength;
    this.hasOwnEnd = head.contentLength !== undefined || head.transferCoded;
    this.#reader = reader;
    this.#source = {
      read: (into) => {
        const count = reader.take(into);
        return count > 0 ? Promise.resolve(count) : socket.read(into);
      },
    };
    this.#left = head.contentLength ?? Infinity;
    if (!head.transferCoded) return;
    const coding = head.fields.get("transfer-encoding")!;
    if (coding.toLowerCase() !== "chunked") throw badResponse(`the body is coded as "${coding}"`);
    this.#chunks = new ChunkedReader({
      read: async (into) => {
        const count = await this.#source.read(into);
        if (count === null) throw endedEarly();
        return count;
      },
    });
  }

  /**
   * Read some of it; resolves to the count, or to `null` at its end.
   *
   * @throws {JackfieldError} `SOCKET_RESET` when the connection ends before it does.
   */
  async read(into: Uint8Array): Promise<number | null> {
    if (this.#ended) return null;
    if (this.#chunks !== undefined) {
      const count = await this.#chunks.read(into);
      this.#ended = count === null;
      return count;
    }
    if (this.#left === 0) {
      this.#ended = true;
      return null;
    }
    const wanted = this.#left < into.byteLength ? into.subarray(0, this.#left) : into;
    const count = await this.#source.read(wanted);
    if (count === null) {
      if (this.#left !== Infinity) throw endedEarly();
      this.#ended = true;
      return null;
    }
    this.#left -= count;
    return count;
  }

  /** Whether its end is where the connection's was not: another answer may follow. */
  get isWhole(): boolean {
    if (this.#chunks !== undefined) {
      return this.#chunks.isDone && this.#chunks.unread.byteLength === 0 && this.#nothingUnread;
    }
    // Bytes behind the body would be taken for the next answer.
    return this.#left === 0 && this.#nothingUnread;
  }

  get #nothingUnread(): boolean {
    return this.#reader.unread.byteLength === 0;
  }
}

function endedEarly(): JackfieldError {
  return new JackfieldError(
    "SOCKET_RESET",
    "Cannot read response: the connection ended within the body",
    { operation: "read" },
  );
}
