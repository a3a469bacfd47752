import type { Socket } from "../transport/mod.ts";

/** What one socket has carried. */
export interface SocketProgress {
  /** The address it came from. */
  readonly localAddress: string;
  /** The port it came from; 0 for several sockets that are closed and counted together. */
  readonly localPort: number;
  /** Bytes of the file. */
  readonly bytes: number;
  /** Data units that it finished. */
  readonly units: number;
  /** Bytes per second lately; 0 once it is closed. */
  readonly bytesPerSecond: number;
  /** Whether it is still there. */
  readonly isOpen: boolean;
}

/** How far a transfer is. */
export interface TransferProgress {
  /** Bytes of the file that are there. */
  readonly bytes: number;
  /** Bytes of the whole file; `undefined` while nobody knows. */
  readonly totalBytes: number | undefined;
  /** Bytes that were there already when it began: an earlier run has fetched them. */
  readonly resumedBytes: number;
  /** Bytes per second lately, of all sockets together. */
  readonly bytesPerSecond: number;
  /** What each socket has carried so far. */
  readonly sockets: readonly SocketProgress[];
}

interface Entry {
  localAddress: string;
  localPort: number;
  bytes: number;
  units: number;
  bytesPerSecond: number;
  isOpen: boolean;
  /** What had come at the last tick. */
  seenBytes: number;
}

/** So many closed sockets are told one by one; a server may close after every answer. */
const MAX_CLOSED = 256;
/** A speed is that of about the last second. */
const MEMORY_MS = 1000;

/** Counts bytes and units, and tells of them at every tick. */
export class ProgressMeter {
  #tell: ((progress: TransferProgress) => void) | undefined;
  #bytes = 0;
  #resumed = 0;
  #most = 0;
  #toldBytes = -1;
  #total: number | undefined;
  #entries = new WeakMap<Socket, Entry>();
  #open = new Map<Socket, Entry>();
  #closed: Entry[] = [];

  /** Tells whoever wants to know. */
  constructor(tell: ((progress: TransferProgress) => void) | undefined) {
    this.#tell = tell;
  }

  /** The size of the file is known. */
  set totalBytes(total: number) {
    this.#total = total;
  }

  /** So many bytes are there already. */
  set resumedBytes(bytes: number) {
    this.#resumed = bytes;
  }

  /** Bytes that were fetched and kept. */
  get fetchedBytes(): number {
    return this.#bytes;
  }

  /** Bytes have come; a negative count takes back what was not good. */
  add(socket: Socket, bytes: number): void {
    this.#bytes += bytes;
    this.#of(socket).bytes += bytes;
  }

  /** Units are complete. */
  finish(socket: Socket, units: number): void {
    this.#of(socket).units += units;
  }

  /** Time has passed. */
  tick(tickMs: number): void {
    const part = Math.min(1, tickMs / MEMORY_MS);
    for (const [socket, entry] of this.#open) {
      const now = (entry.bytes - entry.seenBytes) / tickMs * 1000;
      entry.seenBytes = entry.bytes;
      entry.bytesPerSecond = Math.max(0, entry.bytesPerSecond * (1 - part) + now * part);
      if (socket.state === "closed" || socket.state === "gone") this.#close(socket, entry);
    }
    if (this.#bytes + this.#resumed !== this.#toldBytes) this.tell();
  }

  /** Tell how far it is now. */
  tell(): void {
    if (this.#tell === undefined) return;
    this.#toldBytes = this.#bytes + this.#resumed;
    // Bytes may be taken back; who watches sees progress stand still, not go back.
    this.#most = Math.max(this.#most, this.#toldBytes);
    let bytesPerSecond = 0;
    for (const entry of this.#open.values()) bytesPerSecond += entry.bytesPerSecond;
    this.#tell({
      bytes: this.#most,
      totalBytes: this.#total,
      resumedBytes: this.#resumed,
      bytesPerSecond,
      sockets: this.sockets(),
    });
  }

  /** What each socket has carried. */
  sockets(): SocketProgress[] {
    return [...this.#closed, ...this.#open.values()].map(({ seenBytes: _seen, ...entry }) => entry);
  }

  #of(socket: Socket): Entry {
    let entry = this.#entries.get(socket);
    if (entry === undefined) {
      const { hostname, port } = socket.localAddress;
      entry = {
        localAddress: hostname,
        localPort: port,
        bytes: 0,
        units: 0,
        bytesPerSecond: 0,
        isOpen: true,
        seenBytes: 0,
      };
      this.#entries.set(socket, entry);
      this.#open.set(socket, entry);
    }
    return entry;
  }

  #close(socket: Socket, entry: Entry): void {
    this.#open.delete(socket);
    entry.bytesPerSecond = 0;
    entry.isOpen = false;
    if (this.#closed.length < MAX_CLOSED) {
      this.#closed.push(entry);
      return;
    }
    const { localAddress, bytes, units } = entry;
    const other = this.#closed.find((closed) =>
      closed.localAddress === localAddress && closed.localPort === 0
    );
    if (other === undefined) this.#closed.push({ ...entry, localPort: 0 });
    else {
      other.bytes += bytes;
      other.units += units;
    }
  }
}
