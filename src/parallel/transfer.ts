import { parseContentRange } from "../http/mod.ts";
import type { SocketLease, SocketPool } from "../pool/mod.ts";
import { type Clock, type ErrorCode, isJackfieldError, JackfieldError } from "../transport/mod.ts";
import type { Output } from "./output.ts";
import type { ProgressMeter } from "./progress.ts";
import {
  checkUnit,
  type DataUnit,
  fileChanged,
  isCoded,
  requestUnit,
  statusError,
  type UnitResponse,
} from "./unit_request.ts";
import { FIRST_UNIT_BYTES, unitSizeFor } from "./unit_size.ts";
import type { UrlTarget } from "./url_target.ts";

/** What a transfer works with. */
export interface TransferOptions {
  readonly url: UrlTarget;
  readonly pool: SocketPool;
  readonly output: Output;
  readonly meter: ProgressMeter;
  readonly sockets: number;
  readonly unitBytes: number | undefined;
  readonly retries: number;
  readonly stallTimeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** How much is read from a socket and written at a time; the memory of a transfer, per socket. */
const CHUNK_BYTES = 256 * 1024;

/** Failures of a socket: another one may do better. Everything else is the server's last word. */
const RETRIED: readonly ErrorCode[] = [
  "SOCKET_RESET",
  "SOCKET_FAILED",
  "SOCKET_ABORTED",
  "SOCKET_CLOSED",
];
/** Failures to get another socket: the others may go on without it. */
const NOT_CONNECTED: readonly ErrorCode[] = ["CONNECT_FAILED", "CONNECT_TIMEOUT"];

/** One file on its way over the sockets of a pool. */
export class Transfer {
  #options: TransferOptions;
  /** What tells the file's content from another one: the first answer's fields. */
  #validators: Validators | undefined;
  #size = 0;
  /** Units that a worker gave back, because it got no socket. */
  #returned: DataUnit[] = [];
  /** Workers that will still look for units. */
  #working = 0;
  /** Leases in use: aborting the transfer aborts their sockets. */
  #leases = new Set<SocketLease>();
  #failure: { readonly error: unknown } | undefined;
  /** Ends the waits for sockets. */
  #stop = new AbortController();

  /** Nothing happens before `run`. */
  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** Fetch everything; resolves to the size of the file. */
  async run(): Promise<number> {
    const { signal } = this.#options;
    const giveUp = () => this.#fail(signal!.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    if (signal?.aborted) giveUp();
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
      const unit = { start: 0, end: this.#options.unitBytes ?? FIRST_UNIT_BYTES };
      const response = await requestUnit(lease.socket, unit, this.#request());
      const { head } = response;
      if (head.status === 200 || head.status === 206) {
        const coding = head.fields.get("content-encoding");
        if (isCoded(head)) throw badResponse(`the body is coded as "${coding}"`);
      }
      if (head.status === 200) return await this.#readWhole(lease, response);
      if (head.status === 416 && head.fields.get("content-range") === "bytes */0") {
        await this.#announce(0);
        return undefined;
      }
      if (head.status !== 206) throw statusError(head.status);
      const range = parseContentRange(head.fields.get("content-range"));
      const end = Math.min(unit.end, range?.size ?? 0);
      if (range === undefined || range.first !== 0 || range.last !== end - 1) {
        throw badResponse(`Content-Range is "${head.fields.get("content-range") ?? "missing"}"`);
      }
      this.#validators = validatorsOf(head.fields);
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
    const { sockets, unitBytes = unitSizeFor(this.#size - offset, sockets) } = this.#options;
    let next = offset;
    const nextUnit = (): DataUnit | undefined => {
      const returned = this.#returned.pop();
      if (returned !== undefined || next >= this.#size) return returned;
      const unit = { start: next, end: Math.min(next + unitBytes, this.#size) };
      next = unit.end;
      return unit;
    };
    const work = async () => {
      for (let unit = nextUnit(); unit !== undefined; unit = nextUnit()) {
        this.#assertGoing();
        if (!await this.#fetchOrReturn(unit)) return;
      }
      this.#working--;
    };
    const units = Math.ceil((this.#size - offset) / unitBytes);
    this.#working = Math.min(sockets, units);
    const workers = Array.from(
      { length: this.#working },
      () => work().catch((error) => this.#fail(error)),
    );
    await Promise.all(workers);
  }

  /** Fetch a unit; `false` when no socket can be had and the workers that have one go on alone. */
  async #fetchOrReturn(unit: DataUnit): Promise<boolean> {
    try {
      await this.#retry((lease) => this.#fetch(lease, unit));
      return true;
    } catch (error) {
      if (!isOneOf(error, NOT_CONNECTED)) throw error;
      // At once, and not when the worker goes on: of two that fail together one must be the last.
      if (--this.#working === 0) throw vanished(error);
      this.#returned.push(unit);
      return false;
    }
  }

  async #fetch(lease: SocketLease, unit: DataUnit): Promise<void> {
    const response = await requestUnit(lease.socket, unit, this.#request());
    checkUnit(response.head, unit, this.#size);
    if (isOther(validatorsOf(response.head.fields), this.#validators)) throw fileChanged();
    await this.#readUnit(lease, response, unit);
  }

  /** Run on a leased socket; on another one when the socket fails. */
  async #retry<T>(run: (lease: SocketLease) => Promise<T>): Promise<T> {
    const { pool, retries } = this.#options;
    for (let tries = 0;; tries++) {
      this.#assertGoing();
      const lease = await pool.acquire({ signal: this.#stop.signal, timeoutMs: Infinity });
      this.#leases.add(lease);
      try {
        return await run(lease);
      } catch (error) {
        this.#assertGoing();
        if (!isOneOf(error, RETRIED)) throw error;
        if (tries >= retries) throw brokenTooOften(error, tries + 1);
      } finally {
        this.#leases.delete(lease);
        lease.discard(); // Unless the unit gave it back in good order.
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
    const { keepAlive, contentLength } = response.head;
    // Bytes behind the body would be taken for the next answer.
    if (keepAlive && contentLength !== undefined && response.surplus() === 0) lease.release();
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
    return undefined;
  }

  #request(): Parameters<typeof requestUnit>[2] {
    const { url, clock, stallTimeoutMs } = this.#options;
    return { url, validator: this.#validators?.strong, clock, stallTimeoutMs };
  }

  #assertGoing(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The first failure ends everything. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#stop.abort(error);
    for (const lease of this.#leases) lease.socket.abort(error);
  }
}

/** What an answer says of the content it is a part of. */
interface Validators {
  /** What If-Range may carry (RFC 9110, section 13.1.5). */
  readonly strong: string | undefined;
  /** The entity tag without its weakness: a tag may grow strong while a file is fetched. */
  readonly tag: string | undefined;
  readonly modified: string | undefined;
}

function validatorsOf(fields: ReadonlyMap<string, string>): Validators {
  const etag = fields.get("etag");
  const strong = etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;
  return { strong, tag: etag?.replace(/^W\//, ""), modified: fields.get("last-modified") };
}

/** Whether two answers are parts of different contents; what one of them lacks says nothing. */
function isOther(one: Validators, other: Validators | undefined): boolean {
  const differ = (a: string | undefined, b: string | undefined) =>
    a !== undefined && b !== undefined && a !== b;
  return differ(one.tag, other?.tag) || differ(one.modified, other?.modified);
}

function isOneOf(error: unknown, codes: readonly ErrorCode[]): boolean {
  return codes.some((code) => isJackfieldError(error, code));
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

/** Connections could be made before, and none can be made now. */
function vanished(cause: unknown): JackfieldError {
  const message = `Cannot get file: the server vanished, last: ${(cause as Error).message}`;
  return new JackfieldError("TRANSFER_FAILED", message, { cause, operation: "get" });
}

function brokenTooOften(cause: unknown, tries: number): JackfieldError {
  const message = `Cannot get file: the connection broke ${tries} times in a row, last: ${
    (cause as Error).message
  }`;
  return new JackfieldError("TRANSFER_FAILED", message, { cause, operation: "get" });
}
