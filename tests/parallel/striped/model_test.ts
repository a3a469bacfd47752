// The model-based test of a bundle; at length in tests/long/striped_model_test.ts.
import { assert } from "@std/assert";
import { test } from "../../harness.ts";
import { withSeeds } from "../../support/seeds.ts";
import { runBundle } from "./model_tools.ts";

test("connectStriped() brings every byte once and in order, whatever happens to its sockets", async () => {
  const sum = { kills: 0, holds: 0, resizes: 0, resentBytes: 0 };
  await withSeeds([614, ...Array.from({ length: 60 }, (_, seed) => seed + 1)], async (dice) => {
    const facts = await runBundle(dice);
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += facts[name];
  });
  assert(sum.kills > 20 && sum.holds > 20 && sum.resizes > 10 && sum.resentBytes > 10_000);
});
