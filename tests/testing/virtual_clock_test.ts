import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { delay } from "../../src/core.ts";
import { property, PropertyError, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";

test("VirtualClock.advance() runs due timers in order, each at its own moment", async () => {
  const clock = new VirtualClock({ startMs: 100 });
  const ran: string[] = [];
  const note = (name: string) => () => void ran.push(`${name} at ${clock.now()}`);
  clock.schedule(30, note("c"));
  clock.schedule(10, note("a"));
  clock.schedule(10, note("b"));
  clock.schedule(31, note("d"));
  await clock.advance(30);
  assertEquals(ran, ["a at 110", "b at 110", "c at 130"]);
  assertEquals([clock.now(), clock.pending], [130, 1]);
  await clock.advance(0);
  assertEquals(ran.length, 3);
  await clock.advance(1);
  assertEquals(ran.at(-1), "d at 131");
  assertEquals(clock.pending, 0);
});

test("VirtualClock.advance() runs timers that were started on the way", async () => {
  const clock = new VirtualClock();
  const ran: number[] = [];
  const again = () => {
    ran.push(clock.now());
    clock.schedule(10, again);
  };
  clock.schedule(10, again);
  await clock.advance(45);
  assertEquals(ran, [10, 20, 30, 40]);
  assertEquals([clock.now(), clock.pending], [45, 1]);
});

test("VirtualClock.advance() lets promises settle between two timers", async () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const sleeper = (async () => {
    for (const name of ["first", "second"]) {
      await delay(clock, 10);
      for (let turn = 0; turn < 100; turn++) await undefined;
      ran.push(`${name} at ${clock.now()}`);
    }
  })();
  clock.schedule(15, () => ran.push(`other at ${clock.now()}`));
  await clock.advance(20);
  assertEquals(ran, ["first at 10", "other at 15", "second at 20"]);
  await sleeper;
});

test("VirtualClock.advance() sees timers of promises that were ready before", async () => {
  const clock = new VirtualClock();
  let ran = false;
  void Promise.resolve().then(() => clock.schedule(5, () => ran = true));
  await clock.advance(5);
  assertEquals(ran, true);
});

test("VirtualClock.schedule() takes back a timer, and never runs one within the call", async () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const cancel = clock.schedule(10, () => ran.push("cancelled"));
  clock.schedule(0, () => ran.push("zero"));
  clock.schedule(-5, () => ran.push("negative"));
  assertEquals(ran, []);
  cancel();
  cancel();
  assertEquals(clock.pending, 2);
  await clock.advance(10);
  assertEquals(ran, ["zero", "negative"]);
  cancel(); // long gone
});

test("VirtualClock.schedule() lets a timer take back another one of the same moment", async () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  clock.schedule(10, () => {
    ran.push("first");
    cancel();
  });
  const cancel = clock.schedule(10, () => ran.push("second"));
  await clock.advance(10);
  assertEquals(ran, ["first"]);
});

test("VirtualClock.runAll() runs until nothing is left", async () => {
  const clock = new VirtualClock();
  let left = 5;
  const again = () => {
    if (--left > 0) clock.schedule(60_000, again);
  };
  clock.schedule(60_000, again);
  await clock.runAll();
  assertEquals([left, clock.now(), clock.pending], [0, 300_000, 0]);
  await clock.runAll({ maxTimers: 0 });
});

test("VirtualClock.runAll() refuses to run for ever", async () => {
  const clock = new VirtualClock();
  let count = 0;
  const again = () => {
    count++;
    clock.schedule(1, again);
  };
  clock.schedule(1, again);
  await assertRejects(
    () => clock.runAll({ maxTimers: 7 }),
    Error,
    "Cannot run all timers: 1 are left after 7",
  );
  assertEquals(count, 7);
});

test("VirtualClock.advance() rejects with what a timer throws, and goes on later", async () => {
  const clock = new VirtualClock();
  let ran = false;
  clock.schedule(5, () => {
    throw new Error("broken timer");
  });
  clock.schedule(6, () => ran = true);
  await assertRejects(() => clock.advance(10), Error, "broken timer");
  assertEquals([clock.now(), clock.pending], [5, 1]);
  await clock.advance(10);
  assertEquals([clock.now(), ran], [15, true]);
});

test("VirtualClock.advance() is not taken twice at a time", async () => {
  const clock = new VirtualClock();
  const first = clock.advance(10);
  await assertRejects(() => clock.advance(10), Error, "it is on its way already");
  await first;
  assertEquals(clock.now(), 10);
});

test("VirtualClock refuses times that are no numbers, and names them", async () => {
  const clock = new VirtualClock();
  assertThrows(() => new VirtualClock({ startMs: NaN }), RangeError, 'startMs "NaN"');
  assertThrows(() => clock.schedule(Infinity, () => {}), RangeError, 'delayMs "Infinity"');
  assertThrows(() => clock.schedule(NaN, () => {}), RangeError, 'delayMs "NaN"');
  await assertRejects(() => clock.advance(-1), RangeError, 'by "-1"');
  await assertRejects(() => clock.advance(Infinity), RangeError, 'by "Infinity"');
  await assertRejects(() => clock.runAll({ maxTimers: NaN }), RangeError, 'maxTimers "NaN"');
});

test("VirtualClock.settle() lets promises settle and no time pass", async () => {
  const clock = new VirtualClock();
  let settled = false;
  void (async () => {
    for (let turn = 0; turn < 1000; turn++) await undefined;
    settled = true;
  })();
  clock.schedule(0, () => {
    throw new Error("time has passed");
  });
  await clock.settle();
  assertEquals([settled, clock.now(), clock.pending], [true, 0, 1]);
});

test("VirtualClock with random runs timers of one moment in any order, and no others", async () => {
  const orders = new Set<string>();
  await property("schedules", async (run) => {
    const clock = new VirtualClock({ random: run.random });
    const ran: string[] = [];
    for (const name of ["a", "b", "c"]) clock.schedule(10, () => ran.push(name));
    clock.schedule(5, () => ran.push("first"));
    clock.schedule(11, () => ran.push("last"));
    await clock.advance(20);
    assertEquals([ran[0], ran.at(-1), ran.length, clock.pending], ["first", "last", 5, 0]);
    orders.add(ran.slice(1, 4).join(""));
  }, { runs: 60 });
  assertEquals([...orders].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
});

test("VirtualClock with random finds a schedule that the usual order never shows", async () => {
  /** One uses what the other one closes; nothing but luck makes the user come first. */
  const useAndClose = async (clock: VirtualClock) => {
    let isOpen = true;
    const user = (async () => {
      await delay(clock, 0);
      await delay(clock, 0);
      assert(isOpen, "it is closed already");
    })();
    const closer = delay(clock, 0).then(() => delay(clock, 0)).then(() => isOpen = false);
    const both = Promise.all([user, closer]);
    await Promise.all([both, clock.runAll()]);
  };
  await useAndClose(new VirtualClock());
  const found = await assertRejects(
    () =>
      property(
        "the user comes first",
        (run) => useAndClose(new VirtualClock({ random: run.random })),
      ),
    PropertyError,
  );
  assertStringIncludes((found as Error).message, "it is closed already");
});
