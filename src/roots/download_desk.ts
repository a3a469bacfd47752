/**
 * The script of the thread or process in which a `DownloadManager` serves its downloads. It is
 * started by a manager with such a `placement`, and of no use to anybody else.
 *
 * A program that is bundled into files of its own makes one of this entry,
 * `@jackfield/jackfield/download_desk`, and names it in `workerUrl` or `processUrl`.
 *
 * @module
 */
import process from "node:process";
import { DeskHost } from "../download/desk_host.ts";
import { systemTransport } from "../system_transport.ts";

const transport = systemTransport();
const { parent, descriptors } = transport.host;
if (parent !== undefined) {
  if (parent.kind === "process") {
    process.on("SIGINT", () => {}); // The terminal sends it to both: the front decides.
    // What is still being sent ends with the program that it belongs to.
    parent.ended.then(() => process.exit(0));
    new DeskHost(parent, { transport });
  } else {
    descriptors!().then((tools) => new DeskHost(parent, { transport, descriptors: tools }));
  }
}
