import { Socket as NetSocket } from "node:net";
import {
  type Descriptors,
  JackfieldError,
  type ParkedConnection,
  type SocketDriver,
} from "../transport/mod.ts";
import { BunDriver, bunHandlers } from "../adapters/bun/driver.ts";
import { bunGlobal, type BunHandlers, type BunSocket, isBun } from "../adapters/bun/runtime.ts";
import { provideEarlySend } from "../adapters/shared/early_send.ts";
import { resumeNet } from "../adapters/shared/net_driver.ts";
import { ParkedNet } from "../adapters/shared/parked_net.ts";
import {
  F_DUPFD_CLOEXEC,
  F_GETFL,
  F_SETFL,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  O_NONBLOCK,
} from "./layouts.ts";
import { type Libc, openLibc } from "./libc.ts";
import { provideListenerDuplicates } from "./listener_duplicates.ts";
import { provideNoDelay } from "./listener_no_delay.ts";
import { numberOf, OwnDescriptor, tokenOf } from "./own_descriptor.ts";
import { handleOf } from "./socket_descriptor.ts";

const EMFILE = 24;

/**
 * Duplicates of connections for other threads of this process, in Deno and Bun on Linux.
 *
 * In Deno the socket must come from `node:net` (`transferable`), for a `Deno.Conn` sends the end of
 * the stream when it is closed, through every duplicate. Each thread opens its own.
 *
 * @throws {JackfieldError} `UNSUPPORTED` in Node and outside of Linux, `PERMISSION_DENIED` in Deno
 * without --allow-ffi.
 */
export function openDescriptors(): Promise<Descriptors> {
  try {
    const libc = openLibc();
    if (isBun()) provideListenerDuplicates(libc);
    else {
      provideEarlySend((socket, bytes) => sendInDeno(libc, socket, bytes));
      provideNoDelay(libc);
    }
    return Promise.resolve(new SystemDescriptors(libc));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Deno tells of a duplicate only. */
function sendInDeno(libc: Libc, socket: NetSocket, bytes: Uint8Array): number {
  const copy = handleOf(socket).fdForIpc?.() ?? -1;
  if (copy < 0) return -1; // Made and closed within this call: it needs no owner.
  const count = libc.send(copy, bytes, bytes.byteLength, MSG_DONTWAIT | MSG_NOSIGNAL);
  libc.close(copy);
  return count;
}

class SystemDescriptors implements Descriptors {
  #libc: Libc;

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  refusal(connection: unknown): string | undefined {
    if (connection instanceof NetSocket) {
      const { fd, fdForIpc } = handleOf(connection);
      return fd === undefined && fdForIpc === undefined
        ? "this runtime does not tell its descriptor"
        : undefined;
    }
    if (isBun() && typeof (connection as BunSocket).fd === "number") return undefined;
    return "a thread takes sockets that were made to be `transferable`";
  }

  duplicate(connection: unknown): number {
    const handle = connection instanceof NetSocket ? handleOf(connection) : connection as BunSocket;
    if ("fdForIpc" in handle && handle.fdForIpc !== undefined) {
      const copy = handle.fdForIpc();
      if (copy < 0) throw failure(EMFILE); // It does not say why; nothing else is known to stop it.
      return tokenOf(this.#libc, copy);
    }
    const copy = this.#libc.fcntl(handle.fd ?? -1, F_DUPFD_CLOEXEC, 0);
    if (copy >= 0) return tokenOf(this.#libc, copy);
    throw failure(this.#libc.errno());
  }

  adopt(token: number): ParkedConnection {
    const fd = numberOf(this.#libc, token, "adopt");
    const flags = this.#libc.fcntl(fd, F_GETFL, 0);
    // One that another program has given us may block: then one slow peer would stop everything.
    if ((flags & O_NONBLOCK) === 0) this.#libc.fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    if (isBun()) return new ParkedDescriptor(new OwnDescriptor(this.#libc, fd));
    const socket = new NetSocket({ fd, allowHalfOpen: true });
    return ParkedNet.arrived(socket, resumeNet);
  }

  discard(token: number): void {
    this.#libc.close(numberOf(this.#libc, token, "discard"));
  }
}

/** A descriptor that Bun does not know of yet: it would begin to read at once. */
class ParkedDescriptor implements ParkedConnection {
  readonly unread: undefined;
  #own: OwnDescriptor;
  #isLeft = false;

  constructor(own: OwnDescriptor) {
    this.#own = own;
  }

  get connection(): { readonly fd: number } {
    return { fd: this.#own.number };
  }

  async resume(later: boolean): Promise<SocketDriver> {
    const driver = new BunDriver(false);
    const { fd } = this.connection;
    const { connect } = bunGlobal() as unknown as BunConnect;
    const socket = await connect({
      fd,
      allowHalfOpen: true,
      data: driver,
      socket: {
        ...bunHandlers,
        open(socket) {
          driver.attach(socket);
          if (later) driver.hold();
        },
        connectError: () => {},
      },
    });
    this.#own.leave(); // From now on it is closed by Bun.
    this.#isLeft = true;
    driver.attach(socket);
    return driver;
  }

  drop(): void {
    if (!this.#isLeft) this.#own.release();
  }
}

/** `Bun.connect` takes up a descriptor. */
interface BunConnect {
  connect(options: {
    fd: number;
    allowHalfOpen: boolean;
    data: unknown;
    socket: BunHandlers;
  }): Promise<BunSocket>;
}

function failure(errno: number): JackfieldError {
  const why = errno === EMFILE ? "no file descriptor is left" : `the system says ${errno}`;
  return new JackfieldError("SOCKET_FAILED", `Cannot duplicate socket: ${why}`, {
    operation: "duplicate",
    ...(errno === EMFILE ? { osCode: "EMFILE", reason: "descriptors" } : {}),
  });
}
