import { assert, assertEquals, assertRejects } from "@std/assert";
import { parallelGet } from "../../mod.ts";
import { askedWaitMs, waitAfter } from "../../src/parallel/backoff.ts";
import { Control } from "../../src/parallel/control.ts";
import { Pace } from "../../src/parallel/pace.ts";
import { RateLimit } from "../../src/queue/mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { pattern } from "../transport/tools.ts";
import { sendFile, withServer } from "./tools.ts";

test("Pace lets through as much as its limit, whoever takes it", async () => {
  const clock = new VirtualClock();
  const control = new Control({ clock, stallTimeoutMs: Infinity });
  const pace = new Pace(10_000, control);
  let taken = 0;
  let isTaking = true;
  const take = async () => {
    while (isTaking) taken += await pace.take(3000);
  };
  const takers = [take(), take(), take()];
  await clock.advance(10_000);
  assert(taken > 95_000 && taken <= 100_000, `${taken} bytes in 10 s`);
  isTaking = false;
  await clock.advance(1000);
  await Promise.all(takers);
  control.end();
  assertEquals(clock.pending, 0);
});

test("Pace gives up with the transfer, and takes back what was not used", async () => {
  const clock = new VirtualClock();
  const control = new Control({ clock, stallTimeoutMs: Infinity });
  const limit = new RateLimit(1000, { burstBytes: 1000 });
  const pace = new Pace(limit, control);
  const first = pace.take(100);
  await clock.advance(1000);
  assertEquals(await first, 100);
  limit.take(Infinity, clock.now());
  pace.giveBack(50);
  assertEquals(await pace.take(10), 10);
  const waiting = pace.take(1000);
  const oops = new Error("oops");
  control.fail(oops);
  await assertRejects(() => waiting, Error, "oops");
  control.end();
  assertEquals(clock.pending, 0);
});

test("parallelGet() keeps to bytesPerSecond with all of its sockets together", async () => {
  const bytes = pattern(300_000);
  await withServer((asked) => sendFile(asked, bytes), async ({ url }) => {
    const shared = new RateLimit(600_000);
    const start = performance.now();
    const options = { sockets: 4, unitBytes: 20_000, bytesPerSecond: shared };
    const results = await Promise.all([parallelGet(url, options), parallelGet(url, options)]);
    for (const { data } of results) assertEquals(data, bytes);
    const seconds = (performance.now() - start) / 1000;
    assert(seconds > 0.9 && seconds < 3, `${seconds} s for 600,000 bytes`);
  });
});

test("waitAfter() doubles up to its bound, and shortens by chance", () => {
  const options = { backoffMs: 100, maxBackoffMs: 1000, random: () => 0 };
  assertEquals([0, 1, 2, 3, 4, 5, 50].map((failures) => waitAfter(failures, options)), [
    100,
    100,
    200,
    400,
    800,
    1000,
    1000,
  ]);
  assertEquals(waitAfter(2, { ...options, random: () => 0.5 }), 150);
  assertEquals(waitAfter(2, { ...options, backoffMs: 0 }), 0);
});

test("askedWaitMs() reads seconds, and nothing else", () => {
  assertEquals(["0", "5", "60", "86400"].map(askedWaitMs), [0, 5000, 60_000, 60_000]);
  for (
    const text of [
      undefined,
      "",
      "-1",
      "1.5",
      "soon",
      "Wed, 21 Oct 2015 07:28:00 GMT",
      "9".repeat(10),
    ]
  ) {
    assertEquals(askedWaitMs(text), 0);
  }
});
