import { bunTransport, isBun } from "./adapters/bun/mod.ts";
import { denoTransport, isDeno } from "./adapters/deno/mod.ts";
import { nodeTransport } from "./adapters/node/mod.ts";
import { provideDescriptors } from "./adapters/shared/system_descriptors.ts";
import type { Descriptors, Transport } from "./transport/mod.ts";

/**
 * The transport of whichever runtime this is: Bun's own sockets in Bun, Deno's in Deno, and
 * `node:net` everywhere else.
 */
export function systemTransport(): Transport {
  provideDescriptors(loadDescriptors);
  if (isBun()) return bunTransport();
  if (isDeno()) return denoTransport();
  return nodeTransport();
}

/** Nothing of the native part is loaded before somebody asks for it. */
async function loadDescriptors(): Promise<Descriptors> {
  return await (await import("./native/mod.ts")).openDescriptors();
}
