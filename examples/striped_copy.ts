// A file goes from one process to another over four connections. This script plays both: with COPY_TO
// it sends the file COPY_FROM, without it receives a copy from a process that it starts.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { connectStriped, listenStriped } from "../mod.ts";

async function send(path: string, port: number): Promise<void> {
  const socket = await connectStriped({ hostname: "127.0.0.1", port }, { sockets: 4 });
  const file = await open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let count; (count = (await file.read(buffer)).bytesRead) > 0;) {
    await socket.write(buffer.subarray(0, count));
  }
  await file.close();
  await socket.closeWrite(); // Resolves when the other process has everything.
  await socket.close();
}

async function receive(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "striped-copy-"));
  const [original, copy] = [join(folder, "original"), join(folder, "copy")];
  await writeFile(original, Uint8Array.from({ length: 2 << 20 }, (_, at) => (at * at) >> 8));

  const listener = await listenStriped();
  const flags = "Deno" in globalThis ? ["run", "--no-check", "-A"] : [];
  const sender = spawn(process.execPath, [...flags, fileURLToPath(import.meta.url)], {
    env: { ...process.env, COPY_FROM: original, COPY_TO: String(listener.address.port) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const ended = once(sender, "close");

  const socket = await listener.accept();
  const file = await open(copy, "w");
  const buffer = new Uint8Array(1 << 20);
  for (let count; (count = await socket.read(buffer)) !== null;) {
    await file.writeFile(buffer.subarray(0, count));
  }
  await Promise.all([file.close(), socket.close(), ended]);
  await listener.close();

  const digest = async (path: string) =>
    createHash("sha256").update(await readFile(path)).digest("hex");
  console.log("SHA-256 equal:", await digest(copy) === await digest(original)); // true
  await rm(folder, { recursive: true });
}

const { COPY_FROM, COPY_TO } = process.env;
if (COPY_TO === undefined) await receive();
else await send(COPY_FROM!, Number(COPY_TO));
