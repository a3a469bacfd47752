// Started by descriptors_test.ts with few descriptors: holds files until the system has none left, and
// prints in one line of JSON what came of it.
import process from "node:process";
import { FileRoot, type ServedFile } from "../../src/files/mod.ts";
import { systemTransport } from "../../src/system_transport.ts";
import type { JackfieldError } from "../../src/transport/mod.ts";

const root = new FileRoot({ root: process.argv[2]!, files: systemTransport().host.files });
const held: ServedFile[] = [];
const errors: unknown[] = [];

await root.check();
for (let index = 0; errors.length < 5; index++) {
  try {
    const found = await root.find(`/${index}`);
    if (found.kind === "file") held.push(found.file);
  } catch (error) {
    const { code, osCode, limit } = error as JackfieldError;
    errors.push([code, osCode, limit ?? "none"]);
  }
}
const first = held[0]!;
const bytes = new Uint8Array(10);
const still = [await first.read(bytes, 0), await first.isUnchanged()];
for (const file of held) file.release();
await new Promise((resolve) => setTimeout(resolve, 0));
const again = await root.find("/0");
if (again.kind === "file") again.file.release();
console.log(JSON.stringify({ errors, held: held.length > 10, still, again: again.kind }));
