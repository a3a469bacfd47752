import process from "node:process";
import { DeskHost } from "../download/desk_host.ts";
import { systemTransport } from "../system_transport.ts";

/** Serve the downloads of the manager that has started this thread or process; nothing elsewhere. */
export function startDesk(): void {
  const transport = systemTransport();
  const { parent, descriptors } = transport.host;
  if (parent === undefined) return;
  if (parent.kind === "process") {
    process.on("SIGINT", () => {}); // A terminal sends it to both: the front decides.
    // What is still being sent ends with the program that it belongs to.
    void parent.ended.then(() => process.exit(0));
    new DeskHost(parent, { transport });
  } else {
    void descriptors!().then((own) => new DeskHost(parent, { transport, descriptors: own }));
  }
}
