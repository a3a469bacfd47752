import type { SocketAddress, SocketDriver, TlsConnectOptions } from "../../transport/mod.ts";
import { type DenoAddr, type DenoConn, denoGlobal, type DenoTcpConn } from "./runtime.ts";

/** One connection of Deno. */
export class DenoDriver implements SocketDriver {
  readonly alpnProtocol: string | undefined;
  #conn: DenoConn;

  /** Takes over a connection that nobody else uses. */
  constructor(conn: DenoConn, alpnProtocol?: string) {
    this.#conn = conn;
    this.alpnProtocol = alpnProtocol;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#conn.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
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

  async startTls({ serverName, caCerts, alpnProtocols }: TlsConnectOptions): Promise<SocketDriver> {
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
