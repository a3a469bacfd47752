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
  IOVEC,
  MSG_DONTWAIT,
  MSG_MORE,
  MSG_NOSIGNAL,
  RWF_NOWAIT,
  SK_MEMINFO_SNDBUF,
  SK_MEMINFO_VARS,
  SK_MEMINFO_WMEM_QUEUED,
  SO_MEMINFO,
  SOL_SOCKET,
} from "./layouts.ts";
import type { Libc } from "./libc.ts";
import { OwnDescriptor } from "./own_descriptor.ts";
import type { PageCache } from "./page_cache.ts";
import { descriptorOf } from "./socket_descriptor.ts";

/** How many files are held open, */
const MAX_KEPT = 1024;
/** and for how long one that nobody asks for. */
const UNUSED_MS = 10_000;
const MAX_BYTES = 1024 * 1024;
/** From so many bytes on, sendfile(2) costs less than to copy them twice, */
const LEAST_DIRECT_BYTES = 32 * 1024;
/** and from so many on, what a socket does not take is too much to be kept for it. */
const LEAST_ROOM_BYTES = 64 * 1024;
const FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL;
/** Room for a head before the file's bytes. */
const HEAD_BYTES = 4096;

/** One answer. */
interface Kept {
  /** Of the file: our own, until the answer is forgotten. */
  readonly descriptor: OwnDescriptor;
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
 * and then the file by sendfile(2); of the longest only where the socket has room for all of it.
 *
 * A name leads to the same file as before as long as its folder is the same and neither got nor lost
 * a name: the folder's times tell, once they are two seconds old. So a file that was replaced, or got
 * a compressed neighbour, is noticed by the very next request; nothing is believed for a while.
 */
export class KeptAnswers implements ShortAnswers {
  maxKept: number = MAX_KEPT;
  readonly maxBytes: number = MAX_BYTES;
  #libc: Libc;
  #cache: PageCache;
  #look: FileLook;
  #kept = new Map<string, Kept>();
  #buffer = new Uint8Array(HEAD_BYTES + LEAST_DIRECT_BYTES);
  #vector = new Uint8Array(IOVEC.bytes);
  #vectorView = new DataView(this.#vector.buffer);
  #memory = new Uint32Array(SK_MEMINFO_VARS);
  #memoryBytes = new Uint8Array(this.#memory.buffer);
  #memoryLength = new Uint32Array(1);
  #memoryLengthBytes = new Uint8Array(this.#memoryLength.buffer);
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
  }

  learn({ target, head, dateOffset, file, facts, path, endings }: ShortAnswer): void {
    this.forget(target);
    const lent = lendDescriptor(file);
    if (lent === undefined || head.byteLength > HEAD_BYTES) return lent?.giveBack();
    const descriptor = OwnDescriptor.duplicate(this.#libc, lent.descriptor);
    lent.giveBack();
    if (descriptor === undefined) return;
    const inMemory = this.#cache.isInMemory(file, descriptor.number);
    const places = this.#placesOf(descriptor.number, path, endings, facts);
    if (places === undefined) return descriptor.release();
    if (this.#kept.size >= this.maxKept) this.forget(this.#kept.keys().next().value!);
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
    kept.descriptor.release();
    if (this.#kept.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  send(
    socket: Socket,
    target: string,
    nowMs: number,
    mostBytes: number,
  ): ShortResult | undefined {
    const kept = this.#kept.get(target);
    if (kept === undefined || kept.bodyBytes > mostBytes) return undefined;
    const to = descriptorOf(this.#libc, socket);
    if (to < 0 && kept.bodyBytes >= LEAST_DIRECT_BYTES) return undefined;
    const { descriptor, folder, folderFacts, fileFacts, head, bodyBytes } = kept;
    const isSame = this.#look.isSame(AT_FDCWD, folder, folderFacts) &&
      this.#look.isSame(descriptor.number, undefined, fileFacts);
    if (!isSame) {
      this.forget(target);
      return undefined;
    }
    this.#setDate(kept, nowMs);
    kept.usedMs = nowMs;
    if (bodyBytes >= LEAST_DIRECT_BYTES) return this.#sendDirectly(socket, to, kept);
    // It has to be fetched from the disk, or has changed.
    const buffer = this.#buffer;
    if (!this.#read(kept, 0, buffer, HEAD_BYTES, kept.readFlags)) return undefined;
    buffer.set(head, HEAD_BYTES - head.byteLength);
    const answer = buffer.subarray(HEAD_BYTES - head.byteLength, HEAD_BYTES + bodyBytes);
    // What has no descriptor to borrow, such as a socket of `node:net` in Deno, the runtime writes.
    const sent = to < 0 ? 0 : this.#libc.send(to, answer, answer.byteLength, FLAGS);
    if (sent === answer.byteLength) return { bodyBytes, rest: undefined };
    if (sent < 0 && this.#libc.errno() !== EAGAIN) return undefined; // The long way says what it is.
    return { bodyBytes, rest: answer.slice(Math.max(0, sent)) };
  }

  #sendDirectly(socket: Socket, to: number, kept: Kept): ShortResult | undefined {
    const { descriptor, head, bodyBytes, readFlags } = kept;
    if (bodyBytes >= LEAST_ROOM_BYTES && this.#roomOf(to) < bodyBytes) return undefined;
    const { number } = descriptor;
    const isWarm = readFlags === 0 || this.#cache.isWarm(undefined, number, 0, bodyBytes);
    if (!isWarm) return undefined;
    const headSent = this.#libc.send(to, head, head.byteLength, FLAGS | MSG_MORE);
    if (headSent < 0 && this.#libc.errno() !== EAGAIN) return undefined;
    let sent = Math.max(0, headSent);
    if (sent === head.byteLength) {
      this.#offset.fill(0);
      sent += Math.max(0, this.#libc.sendfile(to, number, this.#offset, bodyBytes));
      if (sent === head.byteLength + bodyBytes) return { bodyBytes, rest: undefined };
    }
    // A failure comes again when the rest is written. It was in memory a moment ago: no wait for it.
    const headRest = head.subarray(sent);
    const bodySent = Math.max(0, sent - head.byteLength);
    const rest = new Uint8Array(headRest.byteLength + bodyBytes - bodySent);
    rest.set(headRest);
    if (this.#read(kept, bodySent, rest, headRest.byteLength, 0)) return { bodyBytes, rest };
    // The file has become shorter since the look at it: no right bytes can follow.
    socket.abort();
    return { bodyBytes, rest: undefined };
  }

  /** How many bytes a socket takes at once. */
  #roomOf(to: number): number {
    const memory = this.#memory;
    const bytes = this.#memoryBytes;
    const length = this.#memoryLengthBytes;
    this.#memoryLength[0] = bytes.byteLength;
    if (this.#libc.getsockopt(to, SOL_SOCKET, SO_MEMINFO, bytes, length) !== 0) return 0;
    return memory[SK_MEMINFO_SNDBUF]! - memory[SK_MEMINFO_WMEM_QUEUED]!;
  }

  /** Read the rest of a file into a buffer, behind what is in it; whether it was all there. */
  #read(
    { descriptor, bodyBytes }: Kept,
    offset: number,
    into: Uint8Array,
    at: number,
    flags: number,
  ): boolean {
    const view = this.#vectorView;
    view.setBigUint64(IOVEC.address, this.#libc.addressOf(into) + BigInt(at), true);
    view.setUint32(IOVEC.length, bodyBytes - offset, true);
    const count = this.#libc.preadv2(descriptor.number, this.#vector, 1, offset, flags);
    return count === bodyBytes - offset;
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
