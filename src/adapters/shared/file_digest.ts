import { createHash } from "node:crypto";
import { read } from "node:fs";
import { type FileDigestAlgorithm, JackfieldError } from "../../transport/mod.ts";

const PIECE_BYTES = 256 * 1024;

/** The digest of an open file's first `size` bytes. */
export async function digestOfFile(
  descriptor: number,
  algorithm: FileDigestAlgorithm,
  size: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const hash = createHash(algorithm === "sha-256" ? "sha256" : "sha512");
  const piece = new Uint8Array(Math.min(PIECE_BYTES, size));
  for (let at = 0; at < size;) {
    signal?.throwIfAborted();
    const count = await readPiece(descriptor, piece, Math.min(piece.byteLength, size - at), at);
    if (count === 0) {
      const message = `Cannot digest file: it ended at byte ${at}, expected ${size}`;
      throw new JackfieldError("FILE_FAILED", message, { operation: "digest" });
    }
    hash.update(piece.subarray(0, count));
    at += count;
  }
  return new Uint8Array(hash.digest());
}

function readPiece(
  descriptor: number,
  piece: Uint8Array,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) =>
    read(
      descriptor,
      piece,
      0,
      length,
      position,
      (error, count) => error === null ? resolve(count) : reject(error),
    )
  );
}
