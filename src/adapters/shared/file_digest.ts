import { createHash } from "node:crypto";
import { read } from "node:fs";
import { type FileDigestAlgorithm, JackfieldError } from "../../transport/mod.ts";
import { DigestThread, NAMES } from "./digest_thread.ts";

/** What takes a millisecond is not worth a thread, whose start alone stops Deno for twelve. */
const MAX_HERE_BYTES = 1024 * 1024;
/** How much is read and sent to the thread at a time. */
const PIECE_BYTES = 1024 * 1024;
/** The same when it is digested here: what others have to wait for. */
const SMALL_PIECE_BYTES = 128 * 1024;

const thread = new DigestThread();

/**
 * The digest of an open file's first `size` bytes. It is read in the runtime's own threads, and large
 * ones are digested in a thread too. Small ones, and all where no thread can be started, are digested
 * here, with room for others between the pieces.
 */
export async function digestOfFile(
  descriptor: number,
  algorithm: FileDigestAlgorithm,
  size: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const fill = async (piece: Uint8Array<ArrayBuffer>, position: number): Promise<number> => {
    signal?.throwIfAborted();
    const count = await readPiece(descriptor, piece, position);
    if (count === 0) {
      const message = `Cannot digest file: it ended at byte ${position}, expected ${size}`;
      throw new JackfieldError("FILE_FAILED", message, { operation: "digest" });
    }
    return count;
  };
  if (size > MAX_HERE_BYTES) {
    const digest = await thread.digest(algorithm, size, PIECE_BYTES, fill);
    if (digest !== undefined) return digest;
  }
  const hash = createHash(NAMES[algorithm]);
  const piece = new Uint8Array(Math.min(SMALL_PIECE_BYTES, size));
  for (let at = 0; at < size;) {
    const count = await fill(piece.subarray(0, size - at), at);
    hash.update(piece.subarray(0, count));
    at += count;
  }
  return new Uint8Array(hash.digest());
}

function readPiece(
  descriptor: number,
  piece: Uint8Array<ArrayBuffer>,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) =>
    read(
      descriptor,
      piece,
      0,
      piece.byteLength,
      position,
      (error, count) => error === null ? resolve(count) : reject(error),
    )
  );
}
