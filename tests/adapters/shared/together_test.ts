import { assertEquals, assertRejects } from "@std/assert";
import { Together } from "../../../src/adapters/shared/together.ts";
import { test } from "../../harness.ts";

/** One that notes its runs, and doubles; 13 fails, and 0 fails everything. */
function doubling(maxItems: number): { together: Together<number, number>; runs: number[][] } {
  const runs: number[][] = [];
  const together = new Together<number, number>(async (items) => {
    runs.push([...items]);
    await Promise.resolve();
    if (items.includes(0)) throw new Error("nothing");
    return items.map((item) => item === 13 ? new Error("thirteen") : 2 * item);
  }, maxItems);
  return { together, runs };
}

test("Together.ask() runs once for what is asked for in one turn", async () => {
  const { together, runs } = doubling(10);
  const results = await Promise.all([1, 2, 3].map((item) => together.ask(item)));
  assertEquals([results, runs], [[2, 4, 6], [[1, 2, 3]]]);
  assertEquals(await together.ask(4), 8);
  assertEquals(runs, [[1, 2, 3], [4]]);
});

test("Together.ask() leaves what comes during a run to the next one, in order", async () => {
  const { together, runs } = doubling(2);
  const first = together.ask(1);
  await Promise.resolve();
  await Promise.resolve();
  const rest = [2, 3, 4].map((item) => together.ask(item));
  assertEquals(await Promise.all([first, ...rest]), [2, 4, 6, 8]);
  assertEquals(runs, [[1], [2, 3], [4]]);
});

test("Together.ask() rejects for the one that failed, or for all of a run that failed", async () => {
  const { together } = doubling(3);
  const [one, two, three] = await Promise.allSettled([1, 13, 3].map((item) => together.ask(item)));
  assertEquals([one!.status, two!.status, three!.status], ["fulfilled", "rejected", "fulfilled"]);
  const both = [together.ask(0), together.ask(5)];
  for (const failed of both) await assertRejects(() => failed, Error, "nothing");
  assertEquals(await together.ask(6), 12);
});
