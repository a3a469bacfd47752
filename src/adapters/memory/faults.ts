import { seededRandom } from "./seeded_random.ts";

/** What may go wrong in a network in memory. */
export type MemoryOperation = "connect" | "accept" | "read" | "write";

/** Something that goes wrong on purpose. */
export type MemoryFault =
  /**
   * The operation fails: a connect is refused, an accept finds that its client is gone, a read or
   * write sees a reset.
   */
  | { readonly kind: "fail" }
  /** The operation takes this many milliseconds longer. */
  | { readonly kind: "delay"; readonly delayMs: number }
  /** The operation comes to no end by itself: a connect or accept that nothing comes of, silence. */
  | { readonly kind: "hang" }
  /** A read gives, or a write takes at once, no more than these bytes; at least 1. */
  | { readonly kind: "short"; readonly maxBytes: number }
  /** Who connects or accepts receives so many bytes on this connection, and then a reset. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** Who connects or accepts receives so many bytes on this connection, and then the end. */
  | { readonly kind: "end"; readonly afterBytes: number };

/** Says before each operation whether it goes wrong. */
export type MemoryFaults = (operation: MemoryOperation) => MemoryFault | undefined;

/** Which faults there are for what. */
const FITTING: Readonly<Record<MemoryOperation, readonly MemoryFault["kind"][]>> = {
  connect: ["fail", "delay", "hang", "reset", "end"],
  accept: ["fail", "delay", "hang", "reset", "end"],
  read: ["fail", "delay", "hang", "short"],
  write: ["fail", "delay", "hang", "short"],
};

/**
 * What goes wrong with this operation.
 *
 * @throws {TypeError} When it is no fault of such an operation.
 */
export function faultFor(
  faults: MemoryFaults | undefined,
  operation: MemoryOperation,
): MemoryFault | undefined {
  const fault = faults?.(operation);
  if (fault === undefined || FITTING[operation].includes(fault.kind)) return fault;
  const kinds = FITTING[operation].join(", ");
  throw new TypeError(
    `Cannot use fault "${fault.kind}" for ${operation}: expected one of ${kinds}`,
  );
}

/** Options of {@linkcode seededFaults}. */
export interface SeededFaultsOptions {
  /** The same seed gives the same faults in the same order. */
  readonly seed: number;
  /** Probability that a connect fails, 0 to 1. @default {0} */
  readonly connect?: number;
  /** Probability that an accept fails, 0 to 1. @default {0} */
  readonly accept?: number;
  /** Probability that a read fails, 0 to 1. @default {0} */
  readonly read?: number;
  /** Probability that a write fails, 0 to 1. @default {0} */
  readonly write?: number;
  /** Probability that an operation is delayed, 0 to 1. @default {0} */
  readonly delay?: number;
  /** The longest delay in milliseconds. @default {10} */
  readonly maxDelayMs?: number;
  /** Probability that an operation hangs, 0 to 1. @default {0} */
  readonly hang?: number;
  /** Probability that a read or write is short, 0 to 1. @default {0} */
  readonly short?: number;
  /** Probability that a connection is reset after some bytes, 0 to 1. @default {0} */
  readonly reset?: number;
  /** Probability that a connection ends in one direction after some bytes, 0 to 1. @default {0} */
  readonly end?: number;
  /** The most bytes of a short read or write, and before a reset or an end. @default {1000} */
  readonly maxBytes?: number;
}

const PROBABILITIES = [
  "connect",
  "accept",
  "read",
  "write",
  "delay",
  "hang",
  "short",
  "reset",
  "end",
] as const;

/** Faults drawn from a seeded generator. */
export function seededFaults(options: SeededFaultsOptions): MemoryFaults {
  const { seed, delay = 0, maxDelayMs = 10, maxBytes = 1000 } = options;
  for (const name of PROBABILITIES) {
    const probability = options[name] ?? 0;
    if (!(probability >= 0 && probability <= 1)) {
      throw new RangeError(`Cannot use ${name} "${probability}": expected 0 to 1`);
    }
  }
  if (!(maxBytes >= 1)) {
    throw new RangeError(`Cannot use maxBytes "${maxBytes}": expected at least 1`);
  }
  const random = seededRandom(seed);
  // What is not asked for draws nothing, so that the other faults stay the same.
  const isDrawn = (name: "hang" | "short" | "reset" | "end") =>
    (options[name] ?? 0) > 0 && random() < options[name]!;
  const bytes = () => Math.floor(random() * maxBytes);
  return (operation) => {
    if (random() < (options[operation] ?? 0)) return { kind: "fail" };
    if (random() < delay) return { kind: "delay", delayMs: random() * maxDelayMs };
    if (isDrawn("hang")) return { kind: "hang" };
    if (operation === "read" || operation === "write") {
      return isDrawn("short") ? { kind: "short", maxBytes: 1 + bytes() } : undefined;
    }
    if (isDrawn("reset")) return { kind: "reset", afterBytes: bytes() };
    return isDrawn("end") ? { kind: "end", afterBytes: bytes() } : undefined;
  };
}
