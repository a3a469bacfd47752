import type { ByteSource } from "../../src/core.ts";

/** One byte for each character. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A head of these lines, its empty line included. */
export function head(...lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return latin1(`${lines.join("\r\n")}\r\n\r\n`);
}

/** Gives these pieces one by one, then the end. */
export function source(...pieces: readonly (string | Uint8Array)[]): ByteSource {
  const left = pieces.map((piece) => typeof piece === "string" ? latin1(piece) : piece);
  return {
    read(into) {
      const piece = left.shift();
      if (piece === undefined) return Promise.resolve(null);
      const count = Math.min(piece.byteLength, into.byteLength);
      into.set(piece.subarray(0, count));
      if (count < piece.byteLength) left.unshift(piece.subarray(count));
      return Promise.resolve(count);
    },
  };
}
