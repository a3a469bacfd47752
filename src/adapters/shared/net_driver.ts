import type { Socket as NetSocket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import {
  type DriverWatcher,
  ipVersion,
  type ParkedConnection,
  type ReadWaiter,
  type SocketDriver,
  type TlsConnectOptions,
} from "../../transport/mod.ts";
import { sendEarly } from "./early_send.ts";
import { Inbox } from "./inbox.ts";
import { type NetStart, ParkedNet } from "./parked_net.ts";

const NOTHING = new Uint8Array(0);

/** One connection of `node:net` or `node:tls`; made with `allowHalfOpen`. */
export class NetDriver implements SocketDriver {
  #socket: NetSocket;
  #inbox: Inbox;
  #error: unknown;
  #closed = false;
  #secured: boolean;
  #waiting: ((reason: unknown) => void)[] = [];

  /** Set while the runtime cannot write yet. */
  #registered: (() => Promise<void>) | undefined;

  /** Takes over a socket that nobody listens to; one that stands still says how to `start` it. */
  constructor(socket: NetSocket, start?: NetStart) {
    this.#socket = socket;
    let restart = start && (() => start.restart());
    this.#registered = start?.registered;
    this.#secured = "encrypted" in socket;
    this.#inbox = new Inbox({
      pause: () => socket.pause(),
      resume: () => {
        socket.resume();
        restart?.();
        restart = undefined;
      },
    });
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    // Accepted sockets come paused, so that nothing is lost before somebody listens.
    if (start === undefined) socket.resume();
    else this.#inbox.hold();
    if (start?.later === false) this.#inbox.release();
  }

  get hasUnread(): boolean {
    return this.#inbox.hasUnread;
  }

  get connection(): NetSocket | undefined {
    return this.#secured ? undefined : this.#socket; // A TLS session cannot leave its process.
  }

  get alpnProtocol(): string | undefined {
    const { alpnProtocol } = this.#socket as TLSSocket;
    return typeof alpnProtocol === "string" ? alpnProtocol : undefined;
  }

  read(into: Uint8Array, later: ReadWaiter): number | null | undefined {
    return this.#inbox.read(into, later);
  }

  stopReading(): void {
    this.#inbox.stopReading();
  }

  write(bytes: Uint8Array): number | Promise<number> {
    const socket = this.#socket;
    if (this.#registered !== undefined) {
      const count = sendEarly(socket, bytes);
      return count > 0 ? count : this.#registered().then(() => {
        this.#registered = undefined;
        return this.write(bytes);
      });
    }
    // With TLS an empty queue says little: the bytes may lie, encrypted, in the session.
    if (this.#secured) return this.#writeAndWait(bytes, bytes.byteLength);
    // Most often the kernel takes all within the call. A callback would cost a turn all the same, so
    // that only an empty write has one, behind the bytes that were not taken.
    socket.write(bytes);
    const taken = socket.writableLength === 0 && !socket.errored && !socket.destroyed;
    return taken ? bytes.byteLength : this.#writeAndWait(NOTHING, bytes.byteLength);
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.end((error?: Error) => {
        if (error) this.#whenClosed((reason) => reject(reason ?? error));
        else resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket.destroyed) return resolve();
      this.#socket.once("close", () => resolve());
      this.#socket.end(() => this.#socket.destroy());
      this.#inbox.fail(() => new Error("closed"));
    });
  }

  abort(): void {
    this.#inbox.fail(() => new Error("aborted"));
    if (this.#socket.destroyed) return;
    // Node cannot reset while the end of the stream is on its way out: it would never close.
    if (this.#secured || this.#socket.writableEnded) return void this.#socket.destroy();
    try {
      this.#socket.resetAndDestroy();
    } catch {
      this.#socket.destroy(); // A Unix socket has no reset, and Node says so by throwing.
    }
  }

  watch(watcher: DriverWatcher): void {
    this.#inbox.watcher = watcher;
    if (this.#closed) queueMicrotask(() => watcher.gone(this.#error)); // It came before the handoff.
  }

  park(): ParkedConnection {
    this.#inbox.watcher = undefined;
    return ParkedNet.stop(this.#leave(), resumeNet, this.#inbox.drain());
  }

  lookAhead(): void {
    this.#inbox.release();
  }

  async startTls(options: TlsConnectOptions): Promise<SocketDriver> {
    if (this.#inbox.bytes > 0) throw new Error("bytes arrived before the handshake");
    return new NetDriver(await secure(this.#leave(), options));
  }

  /** Listen no more. */
  #leave(): NetSocket {
    const socket = this.#socket;
    socket.off("data", this.#onData).off("end", this.#onEnd);
    socket.off("error", this.#onError).off("close", this.#onClose);
    return socket;
  }

  #onData = (chunk: Uint8Array): void => {
    this.#registered = undefined; // Whoever has read can write.
    this.#inbox.arrive(chunk);
  };
  #onEnd = (): void => this.#inbox.end();
  #onError = (error: Error): void => {
    this.#error = error;
  };
  #onClose = (): void => {
    this.#closed = true;
    this.#inbox.fail(() => this.#error ?? new Error("closed"));
    this.#inbox.watcher?.gone(this.#error);
    for (const tell of this.#waiting.splice(0)) tell(this.#error);
  };

  /** Write, and resolve to `count` when the kernel has taken everything so far. */
  #writeAndWait(bytes: Uint8Array, count: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (error) this.#whenClosed((reason) => reject(reason ?? error));
        else resolve(count);
      });
    });
  }

  /** A failed call may say less ("canceled") than the error event that comes after it. */
  #whenClosed(tell: (reason: unknown) => void): void {
    if (this.#closed) tell(this.#error);
    else this.#waiting.push(tell);
  }
}

/** See {@linkcode ParkedNet}. */
export function resumeNet(socket: NetSocket, start: NetStart): NetDriver {
  return new NetDriver(socket, start);
}

/** Put TLS on a connection of `node:net`; resolves when the peer has been verified. */
export function secure(socket: NetSocket, options: TlsConnectOptions): Promise<TLSSocket> {
  const { serverName, caCerts, alpnProtocols } = options;
  return new Promise((resolve, reject) => {
    const secured = connectTls({
      socket,
      // The server name indication is for names only (RFC 6066, section 3).
      ...(ipVersion(serverName!) === 0 ? { servername: serverName } : { host: serverName }),
      ...(caCerts === undefined ? {} : { ca: [...caCerts] }),
      ...(alpnProtocols === undefined ? {} : { ALPNProtocols: [...alpnProtocols] }),
    });
    const refuse = (error?: Error) => {
      secured.destroy();
      reject(error ?? new Error("connection closed during the TLS handshake"));
    };
    const closed = () => refuse();
    secured.once("error", refuse);
    secured.once("close", closed);
    socket.once("close", closed); // In Bun the end of the one is not the end of the other.
    secured.once("secureConnect", () => {
      secured.off("error", refuse);
      secured.off("close", closed);
      socket.off("close", closed);
      resolve(secured);
    });
  });
}
