// Compile-time only: the structural view of Bun must fit the real one.
import type { BunLike } from "../../src/adapters/bun/runtime.ts";

/** Fails `tsc` when Bun's real types drift away. */
export const bun: BunLike = Bun;
