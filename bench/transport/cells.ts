import type { Limits, Side } from "./side.ts";

/** One line of the table. */
export interface Cell {
  /** What is done. */
  readonly name: string;
  /** What the figures count. */
  readonly unit: "k/s" | "GB/s";
  /** Measure one side, in `unit`. */
  run(side: Side): Promise<number>;
}

/** The loads; each one takes about `ms` on each side. */
export function cells(ms: number): readonly Cell[] {
  const trips: Limits = { ms, count: 1_000_000 };
  const writes: Limits = { ms, count: 100_000 }; // 6.5 GB
  // Few, for each one leaves a tuple in TIME_WAIT.
  const lives: Limits = { ms, count: 6_000 };
  return [
    echo(1, trips),
    echo(32, trips),
    bulk("client to server", writes),
    bulk("server to client", writes),
    connects(1, lives),
    connects(32, lives),
  ];
}

function echo(connections: number, limits: Limits): Cell {
  return {
    name: `echo 64 B, ${connections} conn${connections === 1 ? "" : "s"}`,
    unit: "k/s",
    run: async (side) => await side.echo(connections, limits) / 1e3,
  };
}

function bulk(direction: "client to server" | "server to client", limits: Limits): Cell {
  return {
    name: `bulk ${direction}`,
    unit: "GB/s",
    run: async (side) => await side.bulk(direction, limits) / 1e9,
  };
}

function connects(atOnce: number, limits: Limits): Cell {
  return {
    name: `connections, ${atOnce} at a time`,
    unit: "k/s",
    run: async (side) => await side.connects(atOnce, limits) / 1e3,
  };
}
