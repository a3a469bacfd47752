import { setImmediate } from "node:timers";
import type { FilePiece, FileSender, PieceTold } from "../download/mod.ts";
import { type OpenFile, type Socket, socketError } from "../transport/mod.ts";
import { lendDescriptor } from "../adapters/shared/system_file.ts";
import { EAGAIN, ERROR_NAMES, MSG_DONTWAIT, MSG_MORE, MSG_NOSIGNAL } from "./layouts.ts";
import type { Libc } from "./libc.ts";
import type { PageCache } from "./page_cache.ts";
import { descriptorOf, duplicateOf } from "./socket_descriptor.ts";

/** Calls sendfile(2) within the call: the kernel copies as much as the socket takes, and no more. */
export class MainSender implements FileSender {
  // Four times as much serves half as many small requests beside large files, and no more bytes.
  readonly turnBytes: number = 256 * 1024;
  #libc: Libc;
  #cache: PageCache;
  #offset = new Uint8Array(8);
  #offsetView = new DataView(this.#offset.buffer);

  constructor(libc: Libc, cache: PageCache) {
    this.#libc = libc;
    this.#cache = cache;
  }

  send({ socket, before, file, offset, length }: FilePiece, told: PieceTold): boolean {
    const lent = lendDescriptor(file);
    if (lent === undefined) return false;
    const borrowed = descriptorOf(this.#libc, socket);
    const copy = borrowed < 0 ? duplicateOf(this.#libc, socket) : undefined;
    try {
      if (borrowed < 0 && copy === undefined) return false;
      if (!this.#cache.isWarm(file, lent.descriptor, offset, length)) {
        told(0, "cold");
        return true;
      }
      const to = copy?.number ?? borrowed;
      const beforeBytes = before === undefined ? 0 : before.byteLength;
      if (before !== undefined && !this.sendBefore(socket, to, before, told)) return true;
      this.#offsetView.setUint32(0, offset % 2 ** 32, true);
      this.#offsetView.setUint32(4, Math.floor(offset / 2 ** 32), true);
      const count = this.#libc.sendfile(to, lent.descriptor, this.#offset, length);
      if (count === length) told(beforeBytes + count, "sent");
      else if (count >= 0) told(beforeBytes + count, "full");
      else this.#failed(socket, beforeBytes, told);
      return true;
    } finally {
      lent.giveBack();
      copy?.release();
    }
  }

  /** Send what goes before a piece; when not all of it could be sent, `told` is called. */
  sendBefore(socket: Socket, to: number, before: Uint8Array, told: PieceTold): boolean {
    const { byteLength } = before;
    const count = this.#libc.send(to, before, byteLength, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);
    if (count === byteLength) return true;
    if (count >= 0) told(count, "full");
    else this.#failed(socket, 0, told);
    return false;
  }

  isWarm(file: OpenFile, offset: number, length: number): boolean {
    const lent = lendDescriptor(file);
    if (lent === undefined) return true; // Not a file of the system: nobody can say.
    const isWarm = this.#cache.isWarm(file, lent.descriptor, offset, length);
    lent.giveBack();
    return isWarm;
  }

  afterEvents(resume: () => void): void {
    setImmediate(resume);
  }

  #failed(socket: Socket, sentBytes: number, told: PieceTold): void {
    const errno = this.#libc.errno();
    if (errno === EAGAIN) told(sentBytes, "full");
    else told(sentBytes, "full", failureOf(socket, errno));
  }
}

/** What broke a connection while a file was sent. */
export function failureOf(socket: Socket, errno: number): unknown {
  const code = ERROR_NAMES[errno] ?? `errno ${errno}`;
  return socketError(
    "write",
    socket.remoteAddress,
    Object.assign(new Error(`sendfile: ${code}`), { code }),
  );
}
