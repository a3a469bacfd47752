import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { type Outcome, type Runner, tally } from "../support/summary.ts";

/** The totals of a run that printed `text`, as `passed failed skipped`. */
function totals(runner: Runner, text: string, ok = true): string {
  const outcome: Outcome = { stdout: "", stderr: "", ok };
  outcome[runner === "bun" ? "stderr" : "stdout"] = text;
  const { passed, failed, skipped } = tally(runner, outcome);
  return `${passed} ${failed} ${skipped}`;
}

test("tally() reads the closing lines of each runner", () => {
  assertEquals(totals("deno", "ok | 6 passed | 0 failed (26ms)\n"), "6 0 0");
  assertEquals(
    totals("deno", "FAILED | 5 passed (2 steps) | 1 failed | 3 ignored (3s)\n", false),
    "5 1 3",
  );
  assertEquals(totals("bun", "\n 6 pass\n 0 fail\nRan 6 tests\n"), "6 0 0");
  assertEquals(totals("bun", "\n 6 pass\n 2 skip\n 1 fail\n 1 error\nRan\n", false), "6 1 2");
  assertEquals(totals("node", "# pass 6\n# fail 1\n# cancelled 1\n# skipped 2\n", false), "6 2 2");
});

test("tally() takes the last totals, as tests may print some themselves", () => {
  const deno = "ok | 1 passed | 0 failed (1ms)\n9 passed\nok | 2 passed | 0 failed (1ms)\n";
  assertEquals(totals("deno", deno), "2 0 0");
  assertEquals(totals("bun", " 1 pass\n 0 fail\n 2 pass\n 0 fail\n"), "2 0 0");
  assertEquals(totals("node", "# pass 1\n# fail 1\n# pass 2\n# fail 0\n"), "2 0 0");
});

test("tally() counts a crash, or a run without totals, as a failure", () => {
  for (const runner of ["deno", "bun", "node"] as const) {
    assertEquals(totals(runner, "", false), "0 1 0");
    assertEquals(totals(runner, "", true), "0 1 0");
  }
  assertEquals(totals("deno", "ok | 6 passed | 0 failed (26ms)\n", false), "6 1 0");
});
