import { isSameVersion, isSettled } from "../files/file_version.ts";
import { formatHttpDate } from "../http/mod.ts";
import type { FileFacts, Files, Socket } from "../transport/mod.ts";
import type { ShortAnswer, ShortAnswers, ShortResult } from "./engine.ts";

/** How many bytes are remembered, heads and bodies together. */
const MAX_BYTES = 8 * 1024 * 1024;
/** How many targets are known that were asked for once. */
const MAX_ONCE = 1024;

/** One answer. */
interface Remembered {
  /** Its head and its body. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly bodyBytes: number;
  readonly dateOffset: number;
  readonly path: string;
  readonly facts: FileFacts;
  readonly folder: string;
  readonly folderFacts: FileFacts;
  /** The second that the head tells. */
  second: number;
}

/**
 * Answers with small files again out of memory, in every runtime: two looks at the system tell
 * whether the answer is still right, and it is one write.
 *
 * A name leads to the same file as long as its folder is what it was, and the file holds the same as
 * long as its facts are: that can be told of what was left alone for two seconds when it was
 * remembered. So a change is noticed by the next request, unless the file is changed through a
 * mapping (mmap(2)), of which its facts tell late.
 */
export class RememberedAnswers implements ShortAnswers {
  readonly maxBytes: number = 64 * 1024;
  #files: Files;
  #remembered = new Map<string, Remembered>();
  #bytes = 0;
  #once = new Set<string>();
  #nowMs: () => number;

  /** Nothing is remembered; `nowMs` is the time of day, by which files and folders are young or not. */
  constructor(files: Files, nowMs: () => number = Date.now) {
    this.#files = files;
    this.#nowMs = nowMs;
  }

  learn(answer: ShortAnswer): void {
    const { target } = answer;
    this.forget(target);
    if (!this.#once.delete(target)) {
      // Most files of a large folder are asked for once: to remember them would only cost.
      if (this.#once.size >= MAX_ONCE) this.#once.clear();
      this.#once.add(target);
      return;
    }
    this.#remember(answer).catch(() => {}); // What fails here, the long way will tell.
  }

  forget(target: string): void {
    const known = this.#remembered.get(target);
    if (known === undefined) return;
    this.#remembered.delete(target);
    this.#bytes -= known.bytes.byteLength;
  }

  send(
    _socket: Socket,
    target: string,
    nowMs: number,
  ): Promise<ShortResult | undefined> | undefined {
    const known = this.#remembered.get(target);
    return known && this.#find(target, known, nowMs);
  }

  async #find(
    target: string,
    known: Remembered,
    nowMs: number,
  ): Promise<ShortResult | undefined> {
    try {
      const folder = await this.#files.lookUp(known.folder);
      const file = await this.#files.lookUp(known.path, { followLinks: false });
      const isRight = folder !== undefined && isSameVersion(folder, known.folderFacts) &&
        file !== undefined && isSameVersion(file, known.facts);
      if (!isRight) return void this.forget(target);
    } catch {
      return void this.forget(target); // The long way will tell.
    }
    const { bytes, bodyBytes, dateOffset } = known;
    const second = Math.floor(nowMs / 1000);
    if (known.second === second) return { bodyBytes, rest: bytes };
    const next = bytes.slice(); // The other one may be on its way to somebody.
    next.set(encoder.encode(formatHttpDate(nowMs)), dateOffset);
    this.#remembered.set(target, { ...known, bytes: next, second });
    return { bodyBytes, rest: next };
  }

  async #remember(answer: ShortAnswer): Promise<void> {
    const { target, head, dateOffset, file, facts, path, endings } = answer;
    const folder = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")));
    if (folder === "" || !isSettled(facts, this.#nowMs())) return;
    const files = this.#files;
    const bytes = new Uint8Array(head.byteLength + facts.size);
    bytes.set(head);
    // First the folder: what changes in it while the rest is looked at is seen by the next request.
    const folderFacts = await files.lookUp(folder);
    if (folderFacts === undefined || !isSettled(folderFacts, this.#nowMs())) return;
    for (const ending of endings) {
      if (await files.lookUp(path + ending, { followLinks: false }) !== undefined) return;
    }
    const count = await file.read(bytes.subarray(head.byteLength), 0);
    const named = await files.lookUp(path, { followLinks: false });
    if (count !== facts.size || named === undefined || !isSameVersion(named, facts)) return;
    for (const other of this.#remembered.keys()) {
      if (this.#bytes + bytes.byteLength <= MAX_BYTES) break;
      this.forget(other);
    }
    this.forget(target);
    this.#bytes += bytes.byteLength;
    const bodyBytes = facts.size;
    const places = { path, facts, folder, folderFacts };
    this.#remembered.set(target, { ...places, bytes, bodyBytes, dateOffset, second: NaN });
  }
}

const encoder = new TextEncoder();
