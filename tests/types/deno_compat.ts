// Compile-time only: the structural view of Deno must fit the real one.
import type { DenoLike } from "../../src/adapters/deno/runtime.ts";

/** Fails `deno check` when Deno's real types drift away. */
export const deno: DenoLike = Deno;
