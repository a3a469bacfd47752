import { assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime, test } from "../harness.ts";
import { tally } from "../support/summary.ts";

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const skip = runtime !== "node" && "needs Node";

test(
  "run_in_node.ts notices each way to fail, and says so in its totals and status",
  { skip },
  () => {
    const args = [pathOf("support/run_in_node.ts"), pathOf("fixtures/failing_tests.ts")];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
    const lines = stdout.split("\n").map((line) => line.replace(/ \(\d+ ms\)$/, ""));
    assertEquals(lines.filter((line) => /^(not )?ok|^#/.test(line)), [
      "ok - passes",
      "ok # SKIP - is left out [skipped: as it says]",
      "not ok - throws",
      "not ok - rejects",
      "not ok - leaves a rejection behind",
      "not ok - throws in a callback",
      "not ok - takes too long",
      "ok - passes after that",
      "not ok - waits for nothing",
      "# pass 2",
      "# fail 6",
      "# skipped 1",
    ], stderr);
    for (const word of ["thrown", "rejected", "stray", "late"]) {
      assertStringIncludes(stdout, `${word} on purpose`);
    }
    assertEquals(status, 1);
    const outcome = { stdout, stderr, ok: status === 0 };
    assertEquals(tally("node", outcome), { passed: 2, failed: 6, skipped: 1 });
  },
);

test("run_in_node.ts ends with 0 when all is well", { skip }, () => {
  const args = [pathOf("support/run_in_node.ts"), pathOf("testing/virtual_clock_test.ts")];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assertStringIncludes(stdout, "# fail 0\n");
  assertEquals(status, 0);
});
