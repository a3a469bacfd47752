import process from "node:process";
import { DeskHost } from "../download/desk_host.ts";
import type { OwnerLink } from "../transport/mod.ts";
import { systemTransport } from "../system_transport.ts";

/** How often a process looks whether the one that has started it is still there. */
const LOOK_MS = 500;

/** Serve the downloads of the manager that has started this thread or process; nothing elsewhere. */
export function startDesk(): void {
  const transport = systemTransport();
  const { parent, descriptors } = transport.host;
  if (parent === undefined) return;
  if (parent.kind === "process") {
    process.on("SIGINT", () => {}); // A terminal sends it to both: the front decides.
    endWithParent(parent);
    new DeskHost(parent, { transport });
  } else {
    void descriptors!().then((own) => new DeskHost(parent, { transport, descriptors: own }));
  }
}

/** What is still being sent ends with the program that it belongs to. */
function endWithParent(parent: OwnerLink): void {
  const end = () => process.exit(0);
  void parent.ended.then(end);
  // Deno 2.9.6 does not tell of the end of a channel that was just being written to.
  const { ppid } = process;
  setInterval(() => {
    if (process.ppid !== ppid) end();
  }, LOOK_MS);
}
