import { clearInterval, setInterval } from "node:timers";
import type { ShortAnswer, ShortAnswers, ShortResult } from "../download/mod.ts";
import type { Socket } from "../transport/mod.ts";
import { lendDescriptor } from "../adapters/shared/system_file.ts";
import { YOUNG_MS } from "../files/file_version.ts";
import { formatHttpDate } from "../http/mod.ts";
import { FileLook } from "./file_look.ts";
import {
  AT_FDCWD,
  AT_SYMLINK_NOFOLLOW,
  EAGAIN,
  F_DUPFD_CLOEXEC,
  IOVEC,
  MSG_DONTWAIT,
  MSG_MORE,
  MSG_NOSIGNAL,
  RWF_NOWAIT,
} from "./layouts.ts";
import type { Libc } from "./libc.ts";
import type { PageCache } from "./page_cache.ts";
import { descriptorOf } from "./socket_descriptor.ts";

/** How many files are held open, */
const MAX_KEPT = 1024;
/** and for how long one that nobody asks for. */
const UNUSED_MS = 10_000;
const MAX_BYTES = 64 * 1024;
/** From so many bytes on, sendfile(2) costs less than to copy them twice. */
const LEAST_DIRECT_BYTES = 32 * 1024;
const FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;
/** Room for a head before the file's bytes. */
const HEAD_BYTES = 4096;

/** One answer. */
interface Kept {
  /** Of the file: our own, until the answer is forgotten. */
  readonly descriptor: number;
  readonly head: Uint8Array;
  readonly dateOffset: number;
  readonly bodyBytes: number;
  /** Flags to read it with. */
  readonly readFlags: number;
  /** The folder that has its name. */
  readonly folder: Uint8Array;
  readonly folderFacts: Int32Array;
  readonly fileFacts: Int32Array;
  /** The second that the head tells. */
  second: number;
  /** When it was sent last. */
  usedMs: number;
}

/**
 * Answers with small files again, by four calls of the kernel and no promise: is the folder what it
 * was, is the file what it was, read it, send it behind its head. Of longer ones the head is sent,
 * and then the file by sendfile(2).
 *
 * A name leads to the same file as before as long as its folder is the same and neither got nor lost
 * a name: the folder's times tell, once they are two seconds old. So a file that was replaced, or got
 * a compressed neighbour, is noticed by the very next request; nothing is believed for a while.
 */
export class KeptAnswers implements ShortAnswers {
  readonly maxBytes: number = MAX_BYTES;
  #libc: Libc;
  #cache: PageCache;
  #look: FileLook;
  #kept = new Map<string, Kept>();
  #buffer = new Uint8Array(HEAD_BYTES + MAX_BYTES);
  #vector = new Uint8Array(IOVEC.bytes);
  #vectorView = new DataView(this.#vector.buffer);
  #offset = new Uint8Array(8);
  #second = NaN;
  #date = new Uint8Array(0);
  #nowMs: () => number;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `nowMs` is the time of day, by which files and folders are young or not. */
  constructor(libc: Libc, cache: PageCache, nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
    this.#libc = libc;
    this.#cache = cache;
    this.#look = new FileLook(libc);
    const address = libc.addressOf(this.#buffer) + BigInt(HEAD_BYTES);
    this.#vectorView.setBigUint64(IOVEC.address, address, true);
  }

  learn({ target, head, dateOffset, file, facts, path, endings }: ShortAnswer): void {
    this.forget(target);
    const lent = lendDescriptor(file);
    if (lent === undefined || head.byteLength > HEAD_BYTES) return lent?.giveBack();
    const descriptor = this.#libc.fcntl(lent.descriptor, F_DUPFD_CLOEXEC, 0);
    const inMemory = descriptor >= 0 && this.#cache.isInMemory(file, descriptor);
    lent.giveBack();
    if (descriptor < 0) return;
    const places = this.#placesOf(descriptor, path, endings, facts);
    if (places === undefined) return void this.#libc.close(descriptor);
    if (this.#kept.size >= MAX_KEPT) this.forget(this.#kept.keys().next().value!);
    this.#kept.set(target, {
      ...places,
      descriptor,
      head: head.slice(),
      dateOffset,
      bodyBytes: facts.size,
      readFlags: inMemory ? 0 : RWF_NOWAIT,
      second: NaN,
      usedMs: this.#nowMs(),
    });
    this.#timer ??= setInterval(() => this.#forgetUnused(), UNUSED_MS).unref();
  }

  forget(target: string): void {
    const kept = this.#kept.get(target);
    if (kept === undefined) return;
    this.#kept.delete(target);
    this.#libc.close(kept.descriptor);
    if (this.#kept.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  send(socket: Socket, target: string, nowMs: number): ShortResult | undefined {
    const kept = this.#kept.get(target);
    if (kept === undefined) return undefined;
    const to = descriptorOf(this.#libc, socket);
    if (to < 0) return undefined;
    const { descriptor, folder, folderFacts, fileFacts, head, bodyBytes } = kept;
    const isSame = this.#look.isSame(AT_FDCWD, folder, folderFacts) &&
      this.#look.isSame(descriptor, undefined, fileFacts);
    if (!isSame) {
      this.forget(target);
      return undefined;
    }
    this.#setDate(kept, nowMs);
    kept.usedMs = nowMs;
    if (bodyBytes >= LEAST_DIRECT_BYTES) return this.#sendDirectly(socket, to, kept);
    // It has to be fetched from the disk, or has changed.
    if (this.#read(kept, 0, kept.readFlags) !== bodyBytes) return undefined;
    const buffer = this.#buffer;
    buffer.set(head, HEAD_BYTES - head.byteLength);
    const answer = buffer.subarray(HEAD_BYTES - head.byteLength, HEAD_BYTES + bodyBytes);
    const sent = this.#libc.send(to, answer, answer.byteLength, FLAGS);
    if (sent === answer.byteLength) return { bodyBytes, rest: undefined };
    if (sent < 0 && this.#libc.errno() !== EAGAIN) return undefined; // The long way says what it is.
    return { bodyBytes, rest: answer.slice(Math.max(0, sent)) };
  }

  #sendDirectly(socket: Socket, to: number, kept: Kept): ShortResult | undefined {
    const { descriptor, head, bodyBytes, readFlags } = kept;
    const isWarm = readFlags === 0 || this.#cache.isWarm(undefined, descriptor, 0, bodyBytes);
    if (!isWarm) return undefined;
    const headSent = this.#libc.send(to, head, head.byteLength, FLAGS | MSG_MORE);
    if (headSent < 0 && this.#libc.errno() !== EAGAIN) return undefined;
    let sent = Math.max(0, headSent);
    if (sent === head.byteLength) {
      this.#offset.fill(0);
      sent += Math.max(0, this.#libc.sendfile(to, descriptor, this.#offset, bodyBytes));
      if (sent === head.byteLength + bodyBytes) return { bodyBytes, rest: undefined };
    }
    // A failure comes again when the rest is written. It was in memory a moment ago: no wait for it.
    const bodySent = Math.max(0, sent - head.byteLength);
    const isWhole = this.#read(kept, bodySent, 0) === bodyBytes - bodySent;
    if (!isWhole) {
      // The file has become shorter since the look at it: no right bytes can follow.
      socket.abort();
      return { bodyBytes, rest: undefined };
    }
    const body = this.#buffer.subarray(HEAD_BYTES, HEAD_BYTES + bodyBytes - bodySent);
    const rest = new Uint8Array(head.byteLength + bodyBytes - sent);
    rest.set(head.subarray(sent));
    rest.set(body, rest.byteLength - body.byteLength);
    return { bodyBytes, rest };
  }

  /** Read the rest of a file into the buffer, behind the room for a head. */
  #read({ descriptor, bodyBytes }: Kept, offset: number, flags: number): number {
    this.#vectorView.setUint32(IOVEC.length, bodyBytes - offset, true);
    return this.#libc.preadv2(descriptor, this.#vector, 1, offset, flags);
  }

  /** Give all descriptors back. */
  close(): void {
    for (const target of [...this.#kept.keys()]) this.forget(target);
  }

  #forgetUnused(): void {
    const limitMs = this.#nowMs() - UNUSED_MS;
    for (const [target, { usedMs }] of [...this.#kept]) if (usedMs < limitMs) this.forget(target);
  }

  /** What has to stay as it is; `undefined` when something may change without being seen. */
  #placesOf(
    descriptor: number,
    path: string,
    endings: readonly string[],
    facts: ShortAnswer["facts"],
  ): Pick<Kept, "folder" | "folderFacts" | "fileFacts"> | undefined {
    const look = this.#look;
    const limitMs = this.#nowMs() - YOUNG_MS;
    const folder = pathBytes(path.slice(0, path.lastIndexOf("/") + 1) || ".");
    // First the folder: what changes in it while the rest is looked at is seen by the next request.
    if (!look.at(AT_FDCWD, folder) || look.newestMs() > limitMs) return undefined;
    const folderFacts = look.facts();
    const isHere = (name: string): boolean =>
      look.at(AT_FDCWD, pathBytes(name), AT_SYMLINK_NOFOLLOW);
    if (endings.some((ending) => isHere(path + ending)) || !isHere(path)) return undefined;
    const named = look.facts(); // A link is another file than the one that is open.
    if (!look.at(descriptor) || !look.isFile() || look.newestMs() > limitMs) return undefined;
    const fileFacts = look.facts();
    const isKnown = look.size() === facts.size &&
      look.modifiedMs() === Math.floor(facts.modifiedMs) &&
      fileFacts.every((word, index) => word === named[index]);
    return isKnown ? { folder, folderFacts, fileFacts } : undefined;
  }

  #setDate(kept: Kept, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (kept.second === second) return;
    if (this.#second !== second) {
      this.#second = second;
      this.#date = encoder.encode(formatHttpDate(nowMs));
    }
    kept.head.set(this.#date, kept.dateOffset);
    kept.second = second;
  }
}

const encoder = new TextEncoder();

function pathBytes(path: string): Uint8Array {
  return encoder.encode(`${path}\0`);
}
