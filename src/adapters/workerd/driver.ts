import {
  type DriverWatcher,
  ipVersion,
  parseAddress,
  type ReadWaiter,
  type SocketAddress,
  type SocketDriver,
  type TlsConnectOptions,
  unsupported,
} from "../../transport/mod.ts";
import { ReadAhead } from "../shared/read_ahead.ts";
import type { WorkerdSocket, WorkerdSocketInfo } from "./runtime.ts";

/** What one read asks for at most, in bytes. */
const CHUNK_BYTES = 64 * 1024;

/** One connection of `cloudflare:sockets`; opened with `allowHalfOpen` and `starttls`. */
export class WorkerdDriver implements SocketDriver {
  #socket: WorkerdSocket;
  #targetName: string;
  #reader: Reader;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  #ahead = new ReadAhead((into) => this.#read(into));

  /** Takes over a connection that stands; `targetName` is what it was opened for. */
  constructor(socket: WorkerdSocket, targetName: string) {
    this.#socket = socket;
    this.#targetName = targetName;
    this.#reader = readerOf(socket.readable);
    this.#writer = socket.writable.getWriter();
    // Each call that fails says so itself; nobody looks at these.
    for (const promise of [socket.closed, this.#reader.closed, this.#writer.closed]) {
      promise.catch(() => {});
    }
  }

  get hasUnread(): boolean {
    return this.#ahead.hasUnread;
  }

  get isLookingAhead(): boolean {
    return this.#ahead.isPending;
  }

  read(into: Uint8Array, later: ReadWaiter): number | null | undefined | Promise<number | null> {
    return this.#ahead.isFirst ? this.#ahead.read(into, later) : this.#read(into);
  }

  async write(bytes: Uint8Array): Promise<number> {
    try {
      await this.#writer.write(bytes);
      return bytes.byteLength;
    } catch (cause) {
      throw withCode(cause);
    }
  }

  async closeWrite(): Promise<void> {
    try {
      await this.#writer.close();
    } catch (cause) {
      throw withCode(cause);
    }
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  abort(): void {
    // Without it a write that is pending would resolve as if all had been sent.
    this.#writer.abort().catch(() => {});
    this.#reader.cancel().catch(() => {});
    this.#socket.close().catch(() => {});
  }

  watch(watcher: DriverWatcher): void {
    this.#ahead.watcher = watcher;
  }

  lookAhead(): void {
    this.#ahead.look();
  }

  async startTls(options: TlsConnectOptions): Promise<SocketDriver> {
    checkTlsOptions(options);
    if (this.#reader.bytes + this.#ahead.bytes > 0) {
      throw new Error("bytes arrived before the handshake");
    }
    const { serverName } = options;
    this.#reader.releaseLock();
    this.#writer.releaseLock();
    const secured = this.#socket.startTls(
      serverName === this.#targetName ? {} : { expectedServerHostname: serverName },
    );
    this.#socket = secured; // `abort` has to close this one from now on.
    secured.closed.catch(() => {});
    await secured.opened;
    return new WorkerdDriver(secured, this.#targetName);
  }

  async #read(into: Uint8Array): Promise<number | null> {
    try {
      return await this.#reader.read(into);
    } catch (cause) {
      throw withCode(cause);
    }
  }
}

/** Refuse what Workers cannot be told about TLS. */
export function checkTlsOptions({ caCerts, alpnProtocols }: TlsConnectOptions): void {
  if (caCerts !== undefined) {
    throw unsupported("tls caCerts", "Workers trust the authorities of their own configuration");
  }
  if (alpnProtocols !== undefined) {
    throw unsupported("tls alpnProtocols", "Workers offer no application protocols");
  }
}

/** Both ends of a connection, as far as Workers know them. */
export function endsOf(
  info: WorkerdSocketInfo,
  target: SocketAddress,
): { localAddress: SocketAddress; remoteAddress: SocketAddress } {
  const read = (text: string | null | undefined, otherwise: SocketAddress) =>
    text ? parseAddress(text) : otherwise;
  return {
    localAddress: read(info.localAddress, { hostname: "", port: 0 }),
    remoteAddress: read(info.remoteAddress, target),
  };
}

/** A host as `cloudflare:sockets` wants it: IPv6 literals in brackets. */
export function hostnameForWorkerd(hostname: string): string {
  return ipVersion(hostname) === 6 ? `[${hostname}]` : hostname;
}

interface Reader {
  /** Bytes that arrived and were not asked for. */
  readonly bytes: number;
  readonly closed: Promise<unknown>;
  read(into: Uint8Array): Promise<number | null>;
  cancel(): Promise<void>;
  releaseLock(): void;
}

/**
 * Reads no more than it is asked for where the stream can do that; Workers' own streams can.
 * The reader's buffer goes back and forth: the caller's must not, for that would detach it.
 */
function readerOf(readable: ReadableStream<Uint8Array>): Reader {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = readable.getReader({ mode: "byob" });
  } catch {
    return leftoverReader(readable);
  }
  let buffer = new ArrayBuffer(0);
  return {
    bytes: 0,
    closed: reader.closed,
    cancel: () => reader.cancel(),
    releaseLock: () => reader.releaseLock(),
    async read(into) {
      const wanted = Math.min(into.byteLength, CHUNK_BYTES);
      if (buffer.byteLength < wanted) buffer = new ArrayBuffer(wanted);
      const { done, value } = await reader.read(new Uint8Array(buffer, 0, wanted));
      if (value !== undefined) {
        buffer = value.buffer;
        into.set(value);
      }
      return done ? null : value.byteLength;
    },
  };
}

function leftoverReader(readable: ReadableStream<Uint8Array>): Reader {
  const reader = readable.getReader();
  let rest: Uint8Array = new Uint8Array(0);
  return {
    get bytes() {
      return rest.byteLength;
    },
    closed: reader.closed,
    cancel: () => reader.cancel(),
    releaseLock: () => reader.releaseLock(),
    async read(into) {
      while (rest.byteLength === 0) {
        const { done, value } = await reader.read();
        if (done) return null;
        rest = value;
      }
      const part = rest.subarray(0, into.byteLength);
      rest = rest.subarray(part.byteLength);
      into.set(part);
      return part.byteLength;
    },
  };
}

/** Workers give a connection that broke no code, only this sentence. */
function withCode(cause: unknown): unknown {
  if (!(cause instanceof Error) || !cause.message.startsWith("Network connection lost")) {
    return cause;
  }
  return Object.assign(new Error(cause.message, { cause }), { code: "ECONNRESET" });
}
