import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime, test } from "../harness.ts";
import { Folder } from "./tools.ts";

const CHILD = fileURLToPath(new URL("descriptors_child.ts", import.meta.url));
/** Enough for a runtime to start, and for some files. */
const LIMIT = 120;

test("FileRoot.find() rejects with EMFILE while the system has no descriptor left, and recovers", {
  skip: process.platform === "linux" ? false : "needs ulimit",
}, () => {
  const folder = new Folder();
  try {
    for (let index = 0; index < 2 * LIMIT; index++) folder.write(`${index}`, "text");
    const flags = runtime === "deno" ? "run -A --no-check --quiet" : "";
    const command = `ulimit -n ${LIMIT} && exec "${process.execPath}" ${flags} "${CHILD}" "$1"`;
    const { stdout, stderr, status } = spawnSync("sh", ["-c", command, "sh", folder.path], {
      encoding: "utf8",
      timeout: 20_000,
    });
    assertEquals(status, 0, stdout + stderr);
    assertEquals(JSON.parse(stdout), {
      errors: Array(5).fill(["FILE_FAILED", "EMFILE", "none"]),
      held: true,
      still: [4, true],
      again: "file",
    });
  } finally {
    folder.remove();
  }
});
