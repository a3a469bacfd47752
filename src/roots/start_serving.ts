import { systemParent } from "../adapters/shared/system_parent.ts";
import { serveForParent } from "../native/serve_for_parent.ts";
import { systemTransport } from "../system_transport.ts";

/** Serve files for the program that has started this thread; nothing elsewhere. */
export function startServing(): void {
  const parent = systemParent();
  if (parent?.kind !== "thread") return;
  const { close } = globalThis as unknown as { close(): void };
  serveForParent(parent, systemTransport(), () => close());
}
