import type { Clock, Socket } from "../transport/mod.ts";

/** What one socket has carried. */
export interface SocketProgress {
  /** The address it came from. */
  readonly localAddress: string;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Data units that it finished. */
  readonly units: number;
}

/** How far a transfer is. */
export interface TransferProgress {
  /** Bytes of the file that are there. */
  readonly bytes: number;
  /** Bytes of the whole file; `undefined` while nobody knows. */
  readonly totalBytes: number | undefined;
  /** What each socket has carried so far. */
  readonly sockets: readonly SocketProgress[];
}

/** How often progress is told at most, in milliseconds. */
const INTERVAL_MS = 100;

/** Counts bytes and units, and tells of them now and then. */
export class ProgressMeter {
  #clock: Clock;
  #tell: ((progress: TransferProgress) => void) | undefined;
  #toldMs = -Infinity;
  #bytes = 0;
  #most = 0;
  #total: number | undefined;
  #sockets = new Map<Socket, { localAddress: string; bytes: number; units: number }>();

  /** `tell` is called at most ten times a second. */
  constructor(clock: Clock, tell: ((progress: TransferProgress) => void) | undefined) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** The size of the file is known. */
  set totalBytes(total: number) {
    this.#total = total;
  }

  /** Bytes have been written; a negative count takes back those of a unit that failed. */
  add(socket: Socket, bytes: number): void {
    this.#bytes += bytes;
    this.#of(socket).bytes += bytes;
    if (this.#tell === undefined) return;
    const now = this.#clock.now();
    if (now - this.#toldMs < INTERVAL_MS) return;
    this.#toldMs = now;
    this.tell();
  }

  /** A unit is complete. */
  finish(socket: Socket): void {
    this.#of(socket).units++;
  }

  /** Tell how far it is now. */
  tell(): void {
    // A unit that failed takes its bytes back; who watches sees progress stand still, not go back.
    this.#most = Math.max(this.#most, this.#bytes);
    this.#tell?.({ bytes: this.#most, totalBytes: this.#total, sockets: this.sockets() });
  }

  /** What each socket has carried. */
  sockets(): SocketProgress[] {
    return [...this.#sockets.values()].map((socket) => ({ ...socket }));
  }

  #of(socket: Socket): { localAddress: string; bytes: number; units: number } {
    let entry = this.#sockets.get(socket);
    if (entry === undefined) {
      entry = { localAddress: socket.localAddress.hostname, bytes: 0, units: 0 };
      this.#sockets.set(socket, entry);
    }
    return entry;
  }
}
