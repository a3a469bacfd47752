// The example of an upgrade as a program of its own: it starts itself once more.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";
import { runtime, test } from "../harness.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/upgrade.ts", import.meta.url));
const FLAGS = { deno: ["run", "--no-check", "-A"], bun: [], node: [] };

test("example upgrade.ts runs and prints what it says", () => {
  const { stdout, status } = spawnSync(process.execPath, [...FLAGS[runtime], EXAMPLE], {
    encoding: "utf8",
    timeout: 30_000,
  });
  assertEquals(stdout.split("\n").sort(), [
    "",
    "the client has 1048576 bytes",
    "the new process goes on with 1 download",
  ]);
  assertEquals(status, 0);
});
