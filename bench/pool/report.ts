/** What the child that times the pools gives. */
export interface SpeedReport {
  /** The runtime and its version. */
  readonly version: string;
  /** One for each load. */
  readonly cells: readonly CellReport[];
}

/** The figures of one load. */
export interface CellReport {
  /** What was done. */
  readonly name: string;
  /** Who did it, with what stands beside them; the first one is ours. */
  readonly contenders: readonly ContenderReport[];
}

/** The figures of one contender. */
export interface ContenderReport {
  /** Its name. */
  readonly name: string;
  /** Nanoseconds for each operation, one figure for each round. */
  readonly ns: number[];
}

/** What the child that talks over loopback gives: thousands of requests per second, by round. */
export interface TripsReport {
  /** The pool of ten. */
  readonly pool: number[];
  /** generic-pool of ten, over the same sockets. */
  readonly generic: number[];
  /** A socket for each request. */
  readonly single: number[];
}

/** What the child that grows the pools gives. */
export interface ScaleReport {
  /** Nanoseconds per acquire and release, by how many sockets there are. */
  readonly sockets: readonly CurveReport[];
  /** Nanoseconds per acquire and release, by how many wait. */
  readonly waiters: readonly CurveReport[];
}

/** A contender's cost as something grows. */
export interface CurveReport {
  /** Its name. */
  readonly name: string;
  /** One for each size; `null` where it would take too long. */
  readonly points: readonly { readonly size: number; readonly ns: number | null }[];
}

/** Bytes of the heap that a contender keeps. */
export interface MemoryReport {
  /** Its name. */
  readonly name: string;
  /** For each caller in line, the promise included. */
  readonly waiterBytes: number;
  /** For each idle socket. */
  readonly idleBytes: number;
}
