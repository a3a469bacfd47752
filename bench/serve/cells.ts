import type { Competitor } from "./contenders.ts";

const MIB = 2 ** 20;

/** The files that are served. */
export const FILES: Readonly<Record<string, number>> = {
  "1k.bin": 1024,
  "64k.bin": 64 * 1024,
  "1m.bin": MIB,
  "1g.bin": 1024 * MIB,
};

/** What is measured with each server, once in a round. */
export interface Cell {
  /** Its name for `--cells`. */
  readonly name: string;
  /** Its name in the tables. */
  readonly title: string;
  /**
   * What loads the server: wrk(1) with requests, load.c with downloads, or wrk with one connection
   * beside eight downloads.
   */
  readonly kind: "requests" | "bulk" | "mixed";
  /** Which file. */
  readonly file: string;
  /** Over how many connections. */
  readonly connections: number;
  /** Whether over TLS. wrk does the downloads, too, then: load.c has no TLS. */
  readonly tls: boolean;
}

/** The part of a round's seconds that downloads take: their figures are as steady as the others'. */
export const BULK_PART = 0.5;
/** How many downloads go on beside the requests of a mixed cell. */
export const BULK_BESIDE = 8;
/** The name of the cell that is measured apart, once for each server. */
export const SLOW_CELL = "slow";

const plain = (
  name: string,
  title: string,
  kind: Cell["kind"],
  file: string,
  connections: number,
): Cell => ({ name, title, kind, file, connections, tls: false });

/** All cells of the rounds. */
export const CELLS: readonly Cell[] = [
  plain("1k", "1 KiB, 32 connections", "requests", "1k.bin", 32),
  plain("64k", "64 KiB, 32 connections", "requests", "64k.bin", 32),
  plain("16x1m", "16 x 1 MiB", "bulk", "1m.bin", 16),
  plain("4x1g", "4 x 1 GiB", "bulk", "1g.bin", 4),
  plain("1x1g", "1 x 1 GiB", "bulk", "1g.bin", 1),
  plain("mixed", "1 KiB, 1 connection, beside 8 x 1 GiB", "mixed", "1k.bin", 1),
  // Two records and more, with nothing else on its way: here Nagle's algorithm shows (RFC 896).
  { ...plain("tls-64k", "TLS, 64 KiB, 1 connection", "requests", "64k.bin", 1), tls: true },
  { ...plain("tls-8x1m", "TLS, 8 x 1 MiB", "bulk", "1m.bin", 8), tls: true },
  { ...plain("tls-1x1g", "TLS, 1 x 1 GiB", "bulk", "1g.bin", 1), tls: true },
];

/** How many seconds a cell takes of those of a round. */
export function secondsOf({ kind, tls }: Cell, seconds: number): number {
  return kind === "bulk" && !tls ? seconds * BULK_PART : seconds; // wrk knows whole seconds only.
}

/** Cells in which the engine that accepts in its thread differs from the one that does not. */
const ACCEPTING: readonly string[] = ["1k", "64k", "16x1m", "mixed"];

/** Whether a server is measured in a cell. */
export function takesPart({ requestsOnly, speaksTls, ours }: Competitor, cell: Cell): boolean {
  if (requestsOnly === true && cell.kind !== "requests") return false;
  if (ours?.engine === "accept" && !ACCEPTING.includes(cell.name)) return false;
  return speaksTls || !cell.tls;
}
