import { bunTransport, isBun } from "./adapters/bun/mod.ts";
import { denoTransport, isDeno } from "./adapters/deno/mod.ts";
import { nodeTransport } from "./adapters/node/mod.ts";
import type { Transport } from "./transport/mod.ts";

/**
 * The transport of whichever runtime this is: Bun's own sockets in Bun, Deno's in Deno, and
 * `node:net` everywhere else.
 */
export function systemTransport(): Transport {
  if (isBun()) return bunTransport();
  if (isDeno()) return denoTransport();
  return nodeTransport();
}
