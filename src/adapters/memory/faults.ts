/** Something that goes wrong on purpose. */
export type MemoryFault =
  /** The operation fails: a connect is refused, a read or write sees a reset. */
  | { readonly kind: "fail" }
  /** The operation takes this many milliseconds longer. */
  | { readonly kind: "delay"; readonly delayMs: number };

/** Says before each operation whether it goes wrong. */
export type MemoryFaults = (operation: "connect" | "read" | "write") => MemoryFault | undefined;

/** Options of {@linkcode seededFaults}. */
export interface SeededFaultsOptions {
  /** The same seed gives the same faults in the same order. */
  readonly seed: number;
  /** Probability that a connect fails, 0 to 1. @default {0} */
  readonly connect?: number;
  /** Probability that a read fails, 0 to 1. @default {0} */
  readonly read?: number;
  /** Probability that a write fails, 0 to 1. @default {0} */
  readonly write?: number;
  /** Probability that an operation is delayed, 0 to 1. @default {0} */
  readonly delay?: number;
  /** The longest delay in milliseconds. @default {10} */
  readonly maxDelayMs?: number;
}

/** Faults drawn from a seeded generator. */
export function seededFaults(options: SeededFaultsOptions): MemoryFaults {
  const { seed, delay = 0, maxDelayMs = 10 } = options;
  for (const name of ["connect", "read", "write", "delay"] as const) {
    const probability = options[name] ?? 0;
    if (!(probability >= 0 && probability <= 1)) {
      throw new RangeError(`Cannot use ${name} "${probability}": expected 0 to 1`);
    }
  }
  const random = seededRandom(seed);
  return (operation) => {
    if (random() < (options[operation] ?? 0)) return { kind: "fail" };
    if (random() < delay) return { kind: "delay", delayMs: random() * maxDelayMs };
    return undefined;
  };
}

/** A repeatable source of numbers from 0 to below 1: a 32-bit counter mixed by two multiplications. */
export function seededRandom(seed: number): () => number {
  let counter = seed >>> 0;
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0;
    let mixed = counter ^ (counter >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 2 ** 32;
  };
}
