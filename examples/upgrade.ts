// A server hands over to a new process in the middle of a download, and the client notices nothing.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { serveDownloads } from "../mod.ts";

const root = fileURLToPath(new URL("files/", import.meta.url));
const isNew = process.argv.includes("new");
const maxBytesPerSecond = isNew ? Infinity : 50_000; // A new version may be faster.

// In the process that `handOver` starts, this call takes over in the place of listening.
const server = await serveDownloads({ root, upgradable: true, maxBytesPerSecond });

if (isNew) {
  console.log("the new process goes on with", server.downloads().length, "download");
  await server.close(); // It is an example: finish that, and end.
} else {
  const { body } = await fetch(`${server.url}numbers.txt`);
  let bytes = 0;
  let drained: Promise<void> | undefined;
  for await (const chunk of body!) {
    bytes += chunk.byteLength;
    if (drained !== undefined || bytes < 10_000) continue;
    // A program leaves `args` out: the new process is given those of this one.
    ({ drained } = await server.handOver({ args: ["new"] }));
  }
  await drained;
  console.log("the client has", bytes, "bytes"); // 1048576
}
