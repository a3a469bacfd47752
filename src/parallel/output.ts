import { type Files, JackfieldError, type OpenFile, unsupported } from "../transport/mod.ts";

/** Where the bytes of a transfer go. */
export interface Output {
  /** Make room for so many bytes. */
  reserve(size: number): Promise<void>;
  /** Write at a position. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Read back what was written. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** All is well: keep it, with this length. */
  keep(size: number): Promise<{ readonly path?: string; readonly data?: Uint8Array<ArrayBuffer> }>;
  /** It failed: leave nothing behind. */
  drop(): Promise<void>;
}

/** Into a file beside the target, which takes the target's name only when it is complete. */
export async function fileOutput(files: Files | undefined, path: string): Promise<Output> {
  if (files === undefined) throw unsupported("output to a file", "the host has no files");
  if (path === "") throw new TypeError('Cannot write to "": expected a path');
  await assertCanBeReplaced(files, path);
  const part = `${path}.part`;
  const file: OpenFile = await files.open(part, { create: true });
  let closing: Promise<void> | undefined;
  const close = () => closing ??= file.close();
  return {
    reserve: (size) => file.truncate(size),
    write: (bytes, position) => file.write(bytes, position),
    read: (into, position) => file.read(into, position),
    async keep(size) {
      await file.truncate(size);
      await close();
      await files.rename(part, path);
      return { path };
    },
    async drop() {
      try {
        await close();
      } finally {
        await files.remove(part);
      }
    },
  };
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

/** Into memory, at most `maxBytes`. */
export function memoryOutput(maxBytes: number): Output {
  let data = new Uint8Array(0);
  const need = (size: number) => {
    if (size <= maxBytes) return;
    const message = `Cannot get file into memory: it has ${size} bytes, at most ${maxBytes} fit; ` +
      "give a file to write to, or raise maxDataBytes";
    throw new JackfieldError("TRANSFER_FAILED", message, { operation: "get", limit: maxBytes });
  };
  return {
    reserve(size) {
      need(size);
      data = new Uint8Array(size);
      return Promise.resolve();
    },
    write(bytes, position) {
      const end = position + bytes.byteLength;
      need(end);
      if (end > data.byteLength) {
        const bigger = new Uint8Array(Math.min(Math.max(end, data.byteLength * 2), maxBytes));
        bigger.set(data);
        data = bigger;
      }
      data.set(bytes, position);
      return Promise.resolve();
    },
    read(into, position) {
      const part = data.subarray(position, position + into.byteLength);
      into.set(part);
      return Promise.resolve(part.byteLength);
    },
    keep: (size) => Promise.resolve({ data: data.subarray(0, size) }),
    drop: () => Promise.resolve(),
  };
}
