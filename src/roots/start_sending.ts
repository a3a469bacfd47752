import { systemParent } from "../adapters/shared/system_parent.ts";
import { sendForParent } from "../native/send_jobs.ts";

/** Send files for the engine that has started this thread; nothing elsewhere. */
export function startSending(): void {
  const parent = systemParent();
  if (parent?.kind !== "thread") return;
  const { close } = globalThis as unknown as { close(): void };
  sendForParent(parent, () => close());
}
