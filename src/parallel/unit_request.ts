import {
  encodeHead,
  HeadReader,
  parseContentRange,
  parseResponseHead,
  type ResponseHead,
} from "../http/mod.ts";
import { type Clock, JackfieldError, type Socket } from "../transport/mod.ts";
import type { UrlTarget } from "./url_target.ts";

/** A part of a file: one data unit. */
export interface DataUnit {
  /** Its first byte. */
  readonly start: number;
  /** Behind its last byte. */
  readonly end: number;
}

/** A response whose head has been read. */
export interface UnitResponse {
  /** The head. */
  readonly head: ResponseHead;
  /** Where the body comes from: what was read too far first, then the socket. */
  read(into: Uint8Array): Promise<number | null>;
  /** How many bytes have been read too far and are not given out yet. */
  surplus(): number;
}

/** How a unit is asked for. */
export interface UnitRequestOptions {
  /** Where the file is. */
  readonly url: UrlTarget;
  /** The validator that the first answer had: a changed file is sent whole instead. */
  readonly validator: string | undefined;
  /** Times the limit. */
  readonly clock: Clock;
  /** A socket that brings nothing for so long is given up. */
  readonly stallTimeoutMs: number;
}

/** How many interim answers (status 1xx) may come before the final one. */
const MAX_INTERIM = 16;

/** Ask for a unit on a socket and read the head of the answer. */
export async function requestUnit(
  socket: Socket,
  unit: DataUnit,
  options: UnitRequestOptions,
): Promise<UnitResponse> {
  const { url, validator } = options;
  const head = encodeHead(`GET ${url.path} HTTP/1.1`, [
    ["Host", url.host],
    ["Accept", "*/*"],
    ["Accept-Encoding", "identity"],
    ["Range", `bytes=${unit.start}-${unit.end - 1}`],
    ...(validator === undefined ? [] : [["If-Range", validator]] as const),
  ]);
  const guarded = new StallGuard(socket, options);
  const reader = new HeadReader(guarded, "HTTP_BAD_RESPONSE");
  await guarded.within(() => socket.write(head));
  for (let interim = 0; interim <= MAX_INTERIM; interim++) {
    const bytes = await reader.next();
    if (bytes === undefined) {
      throw new JackfieldError("SOCKET_RESET", "Cannot read response: connection ended before it");
    }
    const response = parseResponseHead(bytes);
    if (response.status >= 100 && response.status < 200) continue; // RFC 9110, section 15.2
    return {
      head: response,
      surplus: () => reader.unread.byteLength,
      read: (into) => {
        const count = reader.take(into);
        return count > 0 ? Promise.resolve(count) : guarded.read(into);
      },
    };
  }
  throw new JackfieldError(
    "HTTP_BAD_RESPONSE",
    `Cannot use response: more than ${MAX_INTERIM} interim answers came before it`,
    { operation: "get" },
  );
}

/** Aborts a socket that brings nothing for too long. */
class StallGuard {
  #socket: Socket;
  #clock: Clock;
  #limitMs: number;

  constructor(socket: Socket, { clock, stallTimeoutMs }: UnitRequestOptions) {
    this.#socket = socket;
    this.#clock = clock;
    this.#limitMs = stallTimeoutMs;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.within(() => this.#socket.read(into));
  }

  async within<T>(run: () => Promise<T>): Promise<T> {
    if (this.#limitMs === Infinity) return await run();
    const cancel = this.#clock.schedule(this.#limitMs, () => {
      const message = `Cannot read response: nothing came for ${this.#limitMs} ms`;
      this.#socket.abort(
        new JackfieldError("SOCKET_ABORTED", message, { operation: "read", limit: this.#limitMs }),
      );
    });
    try {
      return await run();
    } finally {
      cancel();
    }
  }
}

/**
 * Make sure that an answer carries exactly the unit of exactly the file.
 *
 * @throws {JackfieldError} `TRANSFER_FAILED` when the file has changed, `HTTP_STATUS`, or
 * `HTTP_BAD_RESPONSE` when the server sends something else than it was asked for.
 */
export function checkUnit(head: ResponseHead, unit: DataUnit, size: number): void {
  if (head.status === 200 || head.status === 416) throw fileChanged();
  if (head.status !== 206) throw statusError(head.status);
  const range = parseContentRange(head.fields.get("content-range"));
  const fits = range !== undefined && range.first === unit.start && range.last === unit.end - 1 &&
    range.size === size && !head.transferCoded && !isCoded(head) &&
    (head.contentLength === undefined || head.contentLength === unit.end - unit.start);
  if (!fits) {
    const got = head.fields.get("content-range") ?? "none";
    throw new JackfieldError(
      "HTTP_BAD_RESPONSE",
      `Cannot use response: asked for bytes ${unit.start}-${unit.end - 1}/${size}, got "${got}"`,
      { operation: "get", status: head.status },
    );
  }
}

/** The error for a file that is another one now. */
export function fileChanged(): JackfieldError {
  return new JackfieldError("TRANSFER_FAILED", "Cannot get file: it changed during the transfer", {
    operation: "get",
  });
}

/** Whether the body is compressed, although nobody asked for that. */
export function isCoded(head: ResponseHead): boolean {
  const coding = head.fields.get("content-encoding");
  return coding !== undefined && coding.toLowerCase() !== "identity";
}

/** The error for a status that carries no file. */
export function statusError(status: number): JackfieldError {
  const why = status === 404 ? "the server has no such file" : `the server answered ${status}`;
  return new JackfieldError("HTTP_STATUS", `Cannot get file: ${why}`, { operation: "get", status });
}
