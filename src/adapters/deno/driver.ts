import type {
  DriverWatcher,
  ReadWaiter,
  RoomWaiter,
  SocketAddress,
  SocketDriver,
  TlsConnectOptions,
} from "../../transport/mod.ts";
import { ReadAhead } from "../shared/read_ahead.ts";
import { type DenoAddr, type DenoConn, denoGlobal, type DenoTcpConn } from "./runtime.ts";

const NOTHING = new Uint8Array(0);

/** What Deno 2.9.6 takes in one write with TLS, however much it is given. */
const MAX_TLS_WRITE_BYTES = 65_536;

/**
 * One connection of Deno, which tells of bytes and of the end only to who reads: a watch is a read,
 * and Deno can end it only together with the connection.
 */
export class DenoDriver implements SocketDriver {
  readonly alpnProtocol: string | undefined;
  #conn: DenoConn;
  /** Made for the first watch; many sockets are never watched. */
  #ahead: ReadAhead | undefined;
  #watcher: DriverWatcher | undefined;

  /** Takes over a connection that nobody else uses. */
  constructor(conn: DenoConn, alpnProtocol?: string) {
    this.#conn = conn;
    this.alpnProtocol = alpnProtocol;
  }

  get hasUnread(): boolean {
    return this.#ahead !== undefined && this.#ahead.hasUnread;
  }

  get isLookingAhead(): boolean {
    return this.#ahead !== undefined && this.#ahead.isPending;
  }

  get lendable(): DenoConn {
    return this.#conn; // With TLS it has no descriptor to lend.
  }

  get maxWriteBytes(): number | undefined {
    return "handshake" in this.#conn ? MAX_TLS_WRITE_BYTES : undefined;
  }

  read(into: Uint8Array, later: ReadWaiter): number | null | undefined | Promise<number | null> {
    const ahead = this.#ahead;
    return ahead !== undefined && ahead.isFirst ? ahead.read(into, later) : this.#conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  waitForRoom(told: RoomWaiter): boolean {
    if ("handshake" in this.#conn) return false; // With TLS it says nothing of the kernel.
    // A write of nothing ends when the kernel has room, if the one before it found that there was none.
    this.#conn.write(NOTHING).then(() => told.resolve(), (cause) => told.reject(cause));
    return true;
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    this.abort();
  }

  abort(): void {
    try {
      this.#conn.close();
    } catch {
      // Deno throws BadResource when the connection was closed before: then nothing is held.
    }
  }

  watch(watcher: DriverWatcher): void {
    this.#watcher = watcher;
    if (this.#ahead !== undefined) this.#ahead.watcher = watcher;
  }

  lookAhead(): void {
    if (this.#ahead === undefined) {
      this.#ahead = new ReadAhead((into) => this.#conn.read(into));
      this.#ahead.watcher = this.#watcher;
    }
    this.#ahead.look();
  }

  async startTls({ serverName, caCerts, alpnProtocols }: TlsConnectOptions): Promise<SocketDriver> {
    if (this.#ahead !== undefined && this.#ahead.bytes > 0) {
      throw new Error("bytes arrived before the handshake");
    }
    const secured = await denoGlobal().startTls(this.#conn as DenoTcpConn, {
      hostname: serverName!,
      ...(caCerts === undefined ? {} : { caCerts: [...caCerts] }),
      ...(alpnProtocols === undefined ? {} : { alpnProtocols: [...alpnProtocols] }),
    });
    this.#conn = secured; // The old one is used up: `abort` has to close this one.
    const { alpnProtocol } = await secured.handshake();
    return new DenoDriver(secured, alpnProtocol ?? undefined);
  }
}

/** An address of Deno as the library writes it. */
export function addressOf(addr: DenoAddr): SocketAddress {
  if ("path" in addr) return { hostname: "", port: 0, path: addr.path ?? "" };
  if ("cid" in addr) return { hostname: `vsock-${addr.cid}`, port: addr.port };
  return { hostname: addr.hostname, port: addr.port };
}

/** Both ends of a connection of Deno. */
export function endsOf(
  conn: DenoConn,
): { localAddress: SocketAddress; remoteAddress: SocketAddress } {
  return { localAddress: addressOf(conn.localAddr), remoteAddress: addressOf(conn.remoteAddr) };
}
