import {
  type Clock,
  type Files,
  type Hash,
  JackfieldError,
  type OpenFile,
  type Transport,
  unsupported,
} from "../transport/mod.ts";
import { isAnotherFile } from "./failures.ts";
import { Intervals } from "./intervals.ts";
import type { Kept, Leftover, Output, OutputStart } from "./output.ts";
import { StateLog } from "./state_log.ts";
import { holdTarget, type TargetHold } from "./target_hold.ts";

/** What {@linkcode openFileOutput} is given. */
export interface FileOutputOptions {
  /** Brings the files. */
  readonly transport: Transport;
  /** Makes names of paths. */
  readonly hash: Hash;
  /** Says when it is time to wait for the disk. */
  readonly clock: Clock;
  /** The URL that the caller named. */
  readonly url: string;
  /** Whether to go on with what an earlier run has left. */
  readonly resume: boolean;
  /** Whether a failure leaves what another run can go on with. */
  readonly keepUnfinished: boolean;
}

/** Bytes that read as zeros may be bytes that never reached the disk: so many in a row. */
const BLOCK_BYTES = 4096;

/**
 * Into a file beside the target, which takes the target's name only when it is complete.
 *
 * A second file says what is in the first one, so that another run can go on after a kill. Nobody else
 * can write to the two meanwhile.
 *
 * @throws {JackfieldError} `FILE_FAILED`.
 */
export async function openFileOutput(
  path: string,
  options: FileOutputOptions,
): Promise<FileOutput> {
  const { transport, hash } = options;
  const { files } = transport.host;
  if (files === undefined) throw unsupported("output to a file", "the host has no files");
  if (path === "") throw new TypeError('Cannot write to "": expected a path');
  await assertCanBeReplaced(files, path);
  const hold = await holdTarget(transport, path, await keyOf(files, hash, path));
  try {
    const log = new StateLog(files, `${path}.part.state`, options.clock);
    const state = options.resume ? await log.read() : undefined;
    if (state !== undefined && state.head.url === options.url) {
      const file = await openUnfinished(files, `${path}.part`, state.head.size);
      if (file !== undefined) {
        const done = await withoutHoles(file, state.done, state.synced);
        const leftover: Leftover = { ...state.head, done };
        return new FileOutput({ ...options, files, path, file, hold, log, leftover });
      }
    }
    await log.remove(); // Before the file is emptied: it would speak of what is gone.
    const file = await files.open(`${path}.part`, { create: true });
    return new FileOutput({ ...options, files, path, file, hold, log, leftover: undefined });
  } catch (error) {
    await hold.release();
    throw error;
  }
}

interface Parts extends FileOutputOptions {
  readonly files: Files;
  readonly path: string;
  readonly file: OpenFile;
  readonly hold: TargetHold;
  readonly log: StateLog;
  readonly leftover: Leftover | undefined;
}

/** See {@linkcode openFileOutput}. */
export class FileOutput implements Output {
  readonly limit: number = Infinity;
  readonly mayBeginAnew: boolean = true;
  readonly leftover: Leftover | undefined;
  #parts: Parts;
  #size: number | undefined;
  #hasSettled = false;

  /** Takes over everything that is open. */
  constructor(parts: Parts) {
    this.#parts = parts;
    this.leftover = parts.leftover;
  }

  async begin({ url, size, unitBytes, validator }: OutputStart): Promise<void> {
    const { file, log } = this.#parts;
    await log.remove();
    await file.truncate(0);
    this.#hasSettled = false;
    this.#size = size;
    if (size === undefined) return;
    if (file.allocate === undefined) await file.truncate(size);
    else await file.allocate(size);
    if (validator !== undefined && size > 0) await log.begin({ url, size, unitBytes, validator });
  }

  async resume(): Promise<void> {
    const { url, file, log } = this.#parts;
    const { size, unitBytes, validator, done } = this.leftover!;
    this.#size = size;
    this.#hasSettled = done.length > 0;
    await file.sync?.();
    await log.begin({ url, size, unitBytes, validator }, done);
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.#parts.file.write(bytes, position);
  }

  settled(start: number, end: number): Promise<void> {
    this.#hasSettled = true;
    return this.#parts.log.add(start, end, this.#parts.file);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#parts.file.read(into, position);
  }

  async keep(size: number): Promise<Kept> {
    const { files, file, path, log, hold } = this.#parts;
    await log.close();
    if (size !== this.#size) await file.truncate(size);
    await file.close();
    await files.rename(`${path}.part`, path);
    // Without its file the state says nothing: whatever happens now, the result stands.
    await log.remove().catch(() => {});
    await hold.release();
    return { path };
  }

  async drop(reason: unknown): Promise<void> {
    const { files, file, path, log, hold, keepUnfinished } = this.#parts;
    const mayGoOn = keepUnfinished && this.#hasSettled && log.exists && !isAnotherFile(reason);
    try {
      await log.close();
      await file.close().catch(() => {}); // It may have been closed before its new name was refused.
      if (mayGoOn) return;
      await log.remove();
      await files.remove(`${path}.part`);
    } finally {
      await hold.release();
    }
  }
}

/** Nothing takes the place of a folder: better to say so before the transfer than behind it. */
async function assertCanBeReplaced(files: Files, path: string): Promise<void> {
  let kind: string;
  try {
    kind = (await files.stat(path)).kind;
  } catch {
    return; // Most often there is nothing yet; opening says what else is wrong.
  }
  if (kind !== "directory") return;
  const message = `Cannot write to "${path}": it is a directory`;
  throw new JackfieldError("FILE_FAILED", message, { operation: "open", osCode: "EISDIR" });
}

/** A name for a path, the same one however the path is written. */
async function keyOf(files: Files, hash: Hash, path: string): Promise<string> {
  let folder = files.join(path, "..");
  try {
    folder = await files.realPath(folder);
  } catch {
    // Opening the file says what is wrong with it.
  }
  const digest = hash.sha256();
  digest.update(new TextEncoder().encode(`${folder}\0${path.split(/[\\/]/).at(-1)}`));
  return digest.hex();
}

/** The unfinished file of an earlier run; nothing when it is not there, or is another one. */
async function openUnfinished(
  files: Files,
  path: string,
  size: number,
): Promise<OpenFile | undefined> {
  let file: OpenFile;
  try {
    file = await files.open(path, { update: true });
  } catch {
    return undefined; // It is made anew, which says what is wrong if that fails too.
  }
  if ((await file.stat()).size === size) return file;
  await file.close();
  return undefined;
}

/**
 * What is really there of what a state names. After a crash of the whole system a file may have holes
 * where it was written, which read as zeros: so what is not known to have reached the disk counts only
 * without a block of zeros.
 */
async function withoutHoles(
  file: OpenFile,
  done: Leftover["done"],
  synced: Leftover["done"],
): Promise<Leftover["done"]> {
  const doubtful = new Intervals();
  for (const { start, end } of done) doubtful.add(start, end);
  for (const { start, end } of synced) doubtful.remove(start, end);
  const good = new Intervals();
  for (const { start, end } of synced) good.add(start, end);
  const buffer = new Uint8Array(256 * 1024);
  for (const { start, end } of doubtful.list) {
    for (let at = start; at < end;) {
      const count = await file.read(buffer.subarray(0, Math.min(buffer.byteLength, end - at)), at);
      if (count === 0) break;
      for (let block = 0; block < count; block += BLOCK_BYTES) {
        const bytes = buffer.subarray(block, Math.min(block + BLOCK_BYTES, count));
        if (bytes.some((byte) => byte !== 0)) good.add(at + block, at + block + bytes.byteLength);
      }
      at += count;
    }
  }
  return good.list;
}
