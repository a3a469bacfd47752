// A hundred kills are in tests/long/get_kill_test.ts.
import { assert } from "@std/assert";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { killAndResume } from "./kill_tools.ts";

test("jackfield get goes on after a kill, with the right file and little fetched twice", {
  timeoutMs: 120_000,
}, () =>
  withSeeds([1], async (dice) => {
    assert(await killAndResume(dice, 5) > 0, "it was never killed in time");
  }));
