import type { Socket as NetSocket } from "node:net";
import { joinBytes, type ParkedConnection, type SocketDriver } from "../../transport/mod.ts";
import { canSendEarly } from "./early_send.ts";
import { eventsSeen } from "./event_turns.ts";

/** What stands behind a socket of `node:net`: each runtime has its own way to stop it. */
interface NetHandle {
  /** Whether the socket believes that the handle reads: it does not start it again then. */
  reading?: boolean;
  readStart?(): unknown;
  readStop?(): unknown;
  pause?(): void;
}

const inDeno = "Deno" in globalThis;

/** How a driver goes on with a socket that stands still. */
export interface NetStart {
  /** Have the runtime read again. */
  restart(): void;
  /** Whether that waits until somebody reads. */
  readonly later: boolean;
  /** Resolves when the runtime can write to it; left out where it can. */
  registered?(): Promise<void>;
}

/** Makes a driver of a socket that stands still. */
export type DriveNet = (socket: NetSocket, start: NetStart) => SocketDriver;

const ignore = (): void => {};

/**
 * A socket of `node:net` that stands still. Nobody may listen to it any more but for its errors.
 *
 * `Socket.pause` alone is not enough: Node and Deno go on to read up to their high-water mark, and a
 * socket that a process was given begins to read by itself.
 */
export class ParkedNet implements ParkedConnection {
  readonly connection: NetSocket;
  #unread: Uint8Array[] = [];
  #drive: DriveNet;
  #registered: (() => Promise<void>) | undefined;

  private constructor(socket: NetSocket, drive: DriveNet) {
    this.connection = socket;
    this.#drive = drive;
    socket.on("error", ignore); // One that nobody hears of would end the program.
  }

  /** Stop a socket that was at work here; `unread` came before. */
  static stop(socket: NetSocket, drive: DriveNet, unread: readonly Uint8Array[]): ParkedNet {
    if (socket.destroyed) throw socket.errored ?? new Error("it is closed");
    const parked = new ParkedNet(socket, drive);
    parked.#unread.push(...unread);
    parked.#stop();
    return parked;
  }

  /** Stop a socket that the runtime has just made of a descriptor, before it reads anything. */
  static arrived(socket: NetSocket, drive: DriveNet): ParkedNet {
    const parked = new ParkedNet(socket, drive);
    socket.allowHalfOpen = true; // Without being told so it ends with its incoming half.
    parked.#stop();
    // A write waits in Deno 2.9.6 until it has seen an event of the socket, and fails with EPIPE if the
    // peer has ended its half by then. One that is called later does not.
    if (inDeno) {
      const seen = canSendEarly() ? undefined : eventsSeen();
      parked.#registered = () => seen ?? eventsSeen();
    }
    return parked;
  }

  get unread(): Uint8Array | undefined {
    return this.#unread.length === 0 ? undefined : joinBytes(this.#unread);
  }

  resume(later: boolean): SocketDriver {
    const socket = this.connection;
    if (socket.destroyed) throw socket.errored ?? new Error("it is closed");
    socket.off("error", ignore);
    return this.#drive(socket, {
      // The stream waits for a read that it has begun already: only the handle can be started.
      restart: () => void handleOf(socket)?.readStart?.(),
      later,
      registered: this.#registered,
    });
  }

  drop(): void {
    this.connection.destroy(); // Closes the descriptor; it sends nothing while there are copies.
  }

  #stop(): void {
    const socket = this.connection;
    const handle = handleOf(socket);
    socket.pause();
    // Else `read` would start it again, and what comes then would be lost.
    if (handle !== undefined && "reading" in handle) handle.reading = true;
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
      this.#unread.push(chunk as Uint8Array);
    }
    handle?.readStop?.();
    handle?.pause?.(); // Bun.
  }
}

function handleOf(socket: NetSocket): NetHandle | undefined {
  return (socket as unknown as { readonly _handle?: NetHandle | null })._handle ?? undefined;
}
