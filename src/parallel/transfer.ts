import { parseContentRange } from "../http/mod.ts";
import type { SocketLease, SocketPool } from "../pool/mod.ts";
import { type Clock, isJackfieldError, JackfieldError } from "../transport/mod.ts";
import type { Output } from "./output.ts";
import type { ProgressMeter } from "./progress.ts";
import {
  checkUnit,
  type DataUnit,
  isCoded,
  requestUnit,
  statusError,
  type UnitResponse,
} from "./unit_request.ts";
import type { UrlTarget } from "./url_target.ts";

/** What a transfer works with. */
export interface TransferOptions {
  readonly url: UrlTarget;
  readonly pool: SocketPool;
  readonly output: Output;
  readonly meter: ProgressMeter;
  readonly sockets: number;
  readonly unitBytes: number;
  readonly retries: number;
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** How much is read from a socket and written at a time; the memory of a transfer, per socket. */
const CHUNK_BYTES = 256 * 1024;

/** Failures of a socket: another one may do better. Everything else is the server's last word. */
const RETRIED = ["SOCKET_RESET", "SOCKET_FAILED", "SOCKET_ABORTED", "SOCKET_CLOSED"] as const;

/** One file on its way over the sockets of a pool. */
export class Transfer {
  #options: TransferOptions;
  #validator: string | undefined;
  #size = 0;
  /** Leases in use: aborting the transfer aborts their sockets. */
  #leases = new Set<SocketLease>();
  #failure: { readonly error: unknown } | undefined;

  /** Nothing happens before `run`. */
  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** Fetch everything; resolves to the size of the file. */
  async run(): Promise<number> {
    const { signal } = this.#options;
    const giveUp = () => this.#fail(signal!.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      const first = await this.#begin();
      if (first !== undefined) await this.#fetchFrom(first);
      this.#assertGoing();
      return this.#size;
    } catch (error) {
      throw this.#failure?.error ?? error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /**
   * Ask for the first unit; the answer tells the size and whether the server knows ranges. Resolves
   * to where the rest begins, or to nothing when there is no rest.
   */
  async #begin(): Promise<number | undefined> {
    return await this.#retry(async (lease) => {
      const unit = { start: 0, end: this.#options.unitBytes };
      const response = await requestUnit(lease.socket, unit, this.#request());
      const { head } = response;
      if (isCoded(head)) {
        throw badResponse(`the body is coded as "${head.fields.get("content-encoding")}"`);
      }
      if (head.status === 200) return await this.#readWhole(lease, response);
      if (head.status === 416 && head.fields.get("content-range") === "bytes */0") {
        await this.#announce(0);
        lease.discard();
        return undefined;
      }
      if (head.status !== 206) throw statusError(head.status);
      const range = parseContentRange(head.fields.get("content-range"));
      const end = Math.min(unit.end, range?.size ?? 0);
      if (range === undefined || range.first !== 0 || range.last !== end - 1) {
        throw badResponse(`Content-Range is "${head.fields.get("content-range") ?? "missing"}"`);
      }
      this.#validator = strongValidator(head.fields);
      await this.#announce(range.size);
      checkUnit(head, { start: 0, end }, range.size);
      await this.#readUnit(lease, response, { start: 0, end });
      return end < range.size ? end : undefined;
    });
  }

  async #announce(size: number): Promise<void> {
    this.#size = size;
    this.#options.meter.totalBytes = size;
    await this.#options.output.reserve(size);
  }

  /** Fetch the units from an offset on, each on the next socket that is free. */
  async #fetchFrom(offset: number): Promise<void> {
    const { sockets, unitBytes } = this.#options;
    let next = offset;
    const work = async () => {
      while (next < this.#size && this.#failure === undefined) {
        const unit = { start: next, end: Math.min(next + unitBytes, this.#size) };
        next = unit.end;
        await this.#retry((lease) => this.#fetch(lease, unit));
      }
    };
    const units = Math.ceil((this.#size - offset) / unitBytes);
    const workers = Array.from(
      { length: Math.min(sockets, units) },
      () => work().catch((error) => this.#fail(error)),
    );
    await Promise.all(workers);
  }

  async #fetch(lease: SocketLease, unit: DataUnit): Promise<void> {
    const response = await requestUnit(lease.socket, unit, this.#request());
    checkUnit(response.head, unit, this.#size);
    await this.#readUnit(lease, response, unit);
  }

  /** Run on a leased socket; on another one when the socket fails. */
  async #retry<T>(run: (lease: SocketLease) => Promise<T>): Promise<T> {
    const { pool, retries, signal } = this.#options;
    for (let tries = 0;; tries++) {
      this.#assertGoing();
      const lease = await pool.acquire({ signal, timeoutMs: Infinity });
      this.#leases.add(lease);
      try {
        return await run(lease);
      } catch (error) {
        lease.discard();
        this.#assertGoing();
        if (!RETRIED.some((code) => isJackfieldError(error, code))) throw error;
        if (tries >= retries) throw vanished(error, tries + 1);
      } finally {
        this.#leases.delete(lease);
        lease.discard(); // Has no effect when the socket was given back in good order.
      }
    }
  }

  /** The body of a unit, to its place. */
  async #readUnit(lease: SocketLease, response: UnitResponse, unit: DataUnit): Promise<void> {
    const { output, meter } = this.#options;
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, unit.end - unit.start));
    let at = unit.start;
    try {
      while (at < unit.end) {
        const count = await response.read(
          buffer.subarray(0, Math.min(buffer.length, unit.end - at)),
        );
        if (count === null) throw endedEarly();
        await output.write(buffer.subarray(0, count), at);
        at += count;
        meter.add(lease.socket, count);
      }
    } catch (error) {
      meter.add(lease.socket, unit.start - at);
      throw error;
    }
    meter.finish(lease.socket);
    if (response.head.keepAlive && response.head.contentLength !== undefined) lease.release();
  }

  /** The whole file from a server that knows no ranges; resolves to nothing, for nothing is left. */
  async #readWhole(lease: SocketLease, { head, read }: UnitResponse): Promise<undefined> {
    const { output, meter } = this.#options;
    if (head.transferCoded) throw badResponse("a chunked answer cannot be read yet");
    const size = head.contentLength ?? Infinity;
    if (size !== Infinity) await this.#announce(size);
    const buffer = new Uint8Array(CHUNK_BYTES);
    let at = 0;
    try {
      while (at < size) {
        const count = await read(buffer.subarray(0, Math.min(buffer.length, size - at)));
        if (count === null) {
          if (size === Infinity) break;
          throw endedEarly();
        }
        await output.write(buffer.subarray(0, count), at);
        at += count;
        meter.add(lease.socket, count);
      }
    } catch (error) {
      meter.add(lease.socket, -at);
      throw error;
    }
    this.#size = at;
    meter.totalBytes = at;
    meter.finish(lease.socket);
    lease.discard();
    return undefined;
  }

  #request(): Parameters<typeof requestUnit>[2] {
    const { url, clock, stallTimeoutMs } = this.#options;
    return { url, validator: this.#validator, clock, stallTimeoutMs };
  }

  #assertGoing(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The first failure ends everything. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    for (const lease of this.#leases) lease.socket.abort(error);
  }
}

/** A validator that If-Range may carry (RFC 9110, section 13.1.5): a strong one. */
function strongValidator(fields: ReadonlyMap<string, string>): string | undefined {
  const etag = fields.get("etag");
  if (etag !== undefined && /^"[^"]*"$/.test(etag)) return etag;
  return undefined;
}

function endedEarly(): JackfieldError {
  return new JackfieldError(
    "SOCKET_RESET",
    "Cannot read response: connection ended within the body",
    {
      operation: "read",
    },
  );
}

function badResponse(why: string): JackfieldError {
  return new JackfieldError("HTTP_BAD_RESPONSE", `Cannot use response: ${why}`, {
    operation: "get",
  });
}

function vanished(cause: unknown, tries: number): JackfieldError {
  const message = `Cannot get file: the connection broke ${tries} times in a row, last: ${
    (cause as Error).message
  }`;
  return new JackfieldError("TRANSFER_FAILED", message, { cause, operation: "get" });
}
