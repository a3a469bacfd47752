// What a row of the table is. Rows are data: text goes to a server, and what comes back is compared.
// How the server is reached (as functions, over sockets) is not theirs to know.

/** A part of a file's bytes: from the first to behind the last. */
export type Slice = readonly [start: number, end: number];

/** One answer as it must be. */
export interface ExpectedAnswer {
  readonly status: number;
  /** Fields by lower-case name; `null` for one that must not be there. Placeholders count here too. */
  readonly fields?: Readonly<Record<string, string | null>>;
  /** What the body holds: the file, nothing, a slice, or several as multipart/byteranges. */
  readonly body?: "whole" | "none" | readonly Slice[];
  /** Which of the file's codings the body is; the file itself unless said. */
  readonly coding?: "br" | "gzip";
  /** Whether the connection ends with this answer. */
  readonly closes?: boolean;
}

/** A row: what is sent on one connection, and the answers in their order. */
export interface Case {
  /** What it shows. */
  readonly name: string;
  /** Where it is written. */
  readonly rfc: string;
  /** What the client sends, one octet for each character. The client's end follows. */
  readonly request: string;
  /** Every answer that comes back; none when the connection just ends. */
  readonly answers: readonly ExpectedAnswer[];
}

/** A file of the table's folder. */
export interface CaseFile {
  readonly size: number;
  /** When it last changed; `"now"` makes its entity tag a weak one. */
  readonly modifiedMs: number | "now";
  readonly contentType: string;
}

/** The second in which most files changed. */
export const MODIFIED_MS: number = Date.UTC(2023, 10, 14, 22, 13, 20);

const BYTES = "application/octet-stream";
const TEXT = "text/plain; charset=utf-8";

/** The files that the requests are for. Those with an ending more are the same file compressed. */
export const FILES: Readonly<Record<string, CaseFile>> = {
  "/plain.bin": { size: 1000, modifiedMs: MODIFIED_MS, contentType: BYTES },
  "/large.bin": { size: 300_000, modifiedMs: MODIFIED_MS + 456, contentType: BYTES },
  "/one.bin": { size: 1, modifiedMs: MODIFIED_MS, contentType: BYTES },
  "/empty.bin": { size: 0, modifiedMs: MODIFIED_MS, contentType: BYTES },
  "/young.bin": { size: 1000, modifiedMs: "now", contentType: BYTES },
  "/text.txt": { size: 5000, modifiedMs: MODIFIED_MS, contentType: TEXT },
  "/text.txt.br": { size: 900, modifiedMs: MODIFIED_MS + 5000, contentType: BYTES },
  "/text.txt.gz": { size: 1100, modifiedMs: MODIFIED_MS + 5000, contentType: BYTES },
};

/** Endings of compressed neighbours, the best coding first. */
export const CODINGS: readonly (readonly ["br" | "gzip", string])[] = [
  ["br", ".br"],
  ["gzip", ".gz"],
];

/** The bytes of a file: other ones for each, and no two parts of one alike. */
export function contentOf(path: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(FILES[path]!.size);
  let state = path.length * 2654435761 + path.charCodeAt(path.length - 1);
  for (let at = 0; at < bytes.byteLength; at++) {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 1;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** A request of these lines, its empty line included. */
export function lines(...all: readonly string[]): string {
  return `${all.join("\r\n")}\r\n\r\n`;
}

/** A GET for a file, with these fields. */
export function get(path: string, ...fields: readonly string[]): string {
  return lines(`GET ${path} HTTP/1.1`, "Host: a.example", ...fields);
}

/** A HEAD for a file, with these fields. */
export function headOf(path: string, ...fields: readonly string[]): string {
  return lines(`HEAD ${path} HTTP/1.1`, "Host: a.example", ...fields);
}
