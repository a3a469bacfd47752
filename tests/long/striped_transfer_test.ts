// 10 GiB through eight sockets, of which one is ended, or held, every second; or as many as
// JACKFIELD_GIB says. The two ends are processes; the runtime that runs this is one of them.
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { runtime, test } from "../harness.ts";
import { transferBetween } from "../parallel/striped/runtimes.ts";

const GIB = Number(process.env.JACKFIELD_GIB ?? 10);
/** Two windows of 16 MiB, and what the runtime and its collector add: Bun's takes its time. */
const MOST_MIB = 200;

for (const other of ["deno", "bun"] as const) {
  for (const trouble of ["killEveryMs", "holdEveryMs"] as const) {
    test(`connectStriped() to ${other} brings ${GIB} GiB with ${trouble} of 1000 (P5)`, {
      timeoutMs: 1_800_000,
    }, async () => {
      const transfer = { bytes: GIB * 2 ** 30, sockets: 8, [trouble]: 1000, seed: 1 };
      const { sent, received } = await transferBetween(runtime, other, transfer);
      console.log(`# sent ${JSON.stringify(sent)}\n# received ${JSON.stringify(received)}`);
      assertEquals([received.bytes, received.digest], [transfer.bytes, sent.digest]);
      assert(sent.kills + sent.holds > 0);
      assert(sent.grownMib < MOST_MIB && received.grownMib < MOST_MIB);
    });
  }
}
