// The command line as one program, as `deno task compile` makes it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { runtime, test } from "../harness.ts";
import { Folder } from "../download/tools.ts";
import { sha256 } from "../transport/tools.ts";
import { Child, startServer, TOP } from "./tools.ts";

const skip = runtime === "bun" ? false : "Bun compiles";

test("the compiled program serves a file and gets it", { skip }, async () => {
  const folder = new Folder();
  const program = folder.at("jackfield");
  const words = ["build", "--compile", "--minify", "src/cli/mod.ts", "--outfile", program];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: TOP, encoding: "utf8" });
  assertEquals(status, 0, stderr);
  const bytes = folder.fill("files/a", 3_000_000);
  const server = new Child(["serve", folder.at("files"), "--port", "0"], program);
  try {
    const url = await startServer(server);
    const to = folder.at("copy");
    const get = await new Child(["get", `${url}a`, "-o", to], program).ended;
    assertEquals([get.code, sha256(readFileSync(to))], [0, sha256(bytes)], get.stderr);
    assertStringIncludes(get.stdout, `saved ${to}`);
  } finally {
    await server.kill();
    folder.remove();
  }
});
