// Started by permissions_test.ts with permission to read one folder and no more. Prints in one line of
// JSON what came of it.
import process from "node:process";
import { denoTransport } from "../../src/adapters/deno/mod.ts";
import { FileRoot, type Found } from "../../src/files/mod.ts";
import type { JackfieldError } from "../../src/transport/mod.ts";

const root = new FileRoot({
  root: process.argv[2]!,
  files: denoTransport().host.files,
  directories: "list",
});

const facts: Record<string, unknown> = {};
try {
  await root.check();
  for (
    const path of ["/a", "/in", "/out", "/outfolder/secret", "/folder/", "/", "/deep/er/a", "/big"]
  ) {
    facts[path] = await describe(await root.find(path));
  }
  const held = [await root.find("/a"), await root.find("/a"), await root.find("/in")];
  facts.shared = root.openFiles;
  for (const found of held) if (found.kind === "file") found.file.release();
  await new Promise((resolve) => setTimeout(resolve, 0));
  facts.open = root.openFiles;
} catch (error) {
  facts.error = [(error as JackfieldError).code, (error as Error).message];
}
console.log(JSON.stringify(facts));

async function describe(found: Found): Promise<unknown> {
  if (found.kind === "listing") return found.entries.map(({ name }) => name);
  if (found.kind !== "file") return found.kind;
  const { file } = found;
  const bytes = new Uint8Array(6);
  await file.read(bytes, 0);
  const digest = await file.digest("sha-256");
  const coded = await file.coded([["gzip", ".gz"]]);
  const facts = [
    new TextDecoder().decode(bytes),
    digest[0],
    coded.length,
    await file.isUnchanged(),
  ];
  file.release();
  return facts;
}
