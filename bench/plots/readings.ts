// What each bench wrote down, as ratios. In all of them more is better, and 1 is a draw.
import type { Spread } from "../support/statistics.ts";
import { ratiosOf, spreadOf } from "../support/statistics.ts";

/** One bar. */
export interface Reading {
  /** What was measured, and against what. */
  readonly label: string;
  /** Who was measured: the bars of one label stand side by side. */
  readonly series: string;
  /** Ours over theirs, round by round. */
  readonly ratio: Spread;
}

/** A picture: which file it is drawn from, and how. */
export interface Plot {
  /** The beginning of the file's name in bench/results/. */
  readonly bench: string;
  /** The line above the bars. */
  readonly title: string;
  /** Read the bars out of the file. */
  // deno-lint-ignore no-explicit-any -- each bench writes what it has; the readings pick from it
  read(file: any): Reading[];
}

/** All pictures. */
export const PLOTS: readonly Plot[] = [
  {
    bench: "pool",
    title: "Pool: operations per second against generic-pool",
    read: ({ results }) =>
      results.flatMap(({ runtime, summary }: PoolResult) =>
        summary.flatMap(({ name, rows }) => {
          // The cells of one contender's own options compare it with itself.
          const theirs = rows.find((row) => /^generic-pool(, awaited)?$/.test(row.name));
          return theirs === undefined
            ? []
            : [{ label: name, series: nameOf(runtime), ratio: theirs.ratio }];
        })
      ),
  },
  {
    bench: "serve",
    title: "jackfield serve: rate against nginx, one worker, sendfile on",
    read: ({ goals }) =>
      goals.flatMap(({ name, figure }: { name: string; figure: Spread }) => {
        const [, cell, server] = /^(.+): (\S+) against nginx$/.exec(name) ?? [];
        return cell === undefined
          ? []
          : [{ label: CELLS[cell] ?? cell, series: server!, ratio: figure }];
      }),
  },
  {
    bench: "get",
    title: "parallelGet, 1 GiB: rate against other programs",
    read: ({ goals }) =>
      goals.flatMap(({ name, ratio }: { name: string; ratio: Spread }) => {
        const [, runtime, other, sockets] =
          /^(\w+) against (.+?), unlimited, (\d+ socket)/.exec(name) ?? [];
        if (runtime === undefined || other!.includes("CPU")) return [];
        return [{
          label: `${sockets}${sockets === "1 socket" ? "" : "s"}: ${other}`,
          series: nameOf(runtime),
          ratio,
        }];
      }),
  },
  {
    bench: "transport",
    title: "Socket: against the API that the adapter stands on",
    read: ({ results }) =>
      results.flatMap(({ version, summary }: TransportResult) =>
        summary.map(({ name, ratio }) => ({ label: name, series: version.split(" ")[0]!, ratio }))
      ),
  },
  {
    bench: "striped",
    title: "Striped sockets: rate against one bare socket",
    read: ({ speeds, runtime }) =>
      Object.keys(speeds).flatMap((key) => {
        const [, network, sockets] = /^(reno|default) ([1-9]\d*)$/.exec(key) ?? [];
        if (network === undefined) return [];
        const ratio = spreadOf(ratiosOf(speeds[key], speeds[`${network} 0`]));
        return [{
          label: `${sockets} sockets, ${network === "reno" ? "reno" : "the system's"}`,
          series: nameOf(runtime),
          ratio,
        }];
      }),
  },
];

interface PoolResult {
  readonly runtime: string;
  readonly summary: readonly {
    readonly name: string;
    readonly rows: readonly { readonly name: string; readonly ratio: Spread }[];
  }[];
}

interface TransportResult {
  readonly version: string;
  readonly summary: readonly { readonly name: string; readonly ratio: Spread }[];
}

const CELLS: Readonly<Record<string, string>> = {
  "1k": "1 KiB, 32 connections",
  "64k": "64 KiB, 32 connections",
  "16x1m": "1 MiB, 16 connections",
  "4x1g": "1 GiB, 4 connections",
  "1x1g": "1 GiB, 1 connection",
  "mixed": "1 KiB beside downloads",
  "tls-64k": "TLS, 64 KiB",
  "tls-8x1m": "TLS, 1 MiB, 8 connections",
  "tls-1x1g": "TLS, 1 GiB, 1 connection",
};

function nameOf(runtime: string): string {
  return `${runtime[0]!.toUpperCase()}${runtime.slice(1)}`;
}
