import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { Deadline, Deadlines } from "../../src/queue/mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { type Clock, systemClock } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { startCpuTime } from "../support/cpu_time.ts";
import { settle, withSeeds } from "../support/seeds.ts";

/** A deadline that writes down when it expired. */
class Note extends Deadline {
  readonly name: string;
  readonly #log: string[];
  readonly #clock: Clock;

  constructor(name: string, log: string[], clock: Clock) {
    super();
    this.name = name;
    this.#log = log;
    this.#clock = clock;
  }

  expire(): void {
    this.#log.push(`${this.name}@${this.#clock.now()}`);
  }
}

/** A deadline that does something. */
class Act extends Deadline {
  readonly #act: (self: Act) => void;

  constructor(act: (self: Act) => void) {
    super();
    this.#act = act;
  }

  expire(): void {
    this.#act(this);
  }
}

/** A virtual clock that counts what is asked of it. */
class CountingClock implements Clock {
  readonly virtual = new VirtualClock();
  reads = 0;
  timers = 0;

  now(): number {
    this.reads++;
    return this.virtual.now();
  }

  schedule(delayMs: number, run: () => void): () => void {
    this.timers++;
    return this.virtual.schedule(delayMs, run);
  }
}

interface Setup {
  clock: VirtualClock;
  deadlines: Deadlines;
  log: string[];
  note(name: string): Note;
}

function setUp(): Setup {
  const clock = new VirtualClock({ startMs: 1000 });
  const log: string[] = [];
  const note = (name: string) => new Note(name, log, clock);
  return { clock, deadlines: new Deadlines(clock), log, note };
}

test("Deadlines expire at their time, in the order of their times", async () => {
  const { clock, deadlines, log, note } = setUp();
  deadlines.add(note("c"), 20);
  deadlines.add(note("a"), 10);
  deadlines.add(note("d"), 20);
  deadlines.add(note("now"), 0);
  deadlines.add(note("b"), 10.5);
  assertEquals([deadlines.size, log.length], [5, 0]);
  await clock.advance(9);
  assertEquals(log, ["now@1000"]);
  await clock.advance(1);
  assertEquals(log, ["now@1000", "a@1010"]);
  await clock.advance(90);
  assertEquals(log.slice(2), ["b@1010.5", "c@1020", "d@1020"]);
  assertEquals([deadlines.size, clock.pending], [0, 0]);
});

test("Deadlines of one moment expire in the order in which they were added", async () => {
  const { clock, deadlines, log, note } = setUp();
  // More delays than have a list of their own, so that some wait in the heap.
  for (let i = 0; i < 30; i++) {
    deadlines.add(note(`${i}`), 100 - i);
    await clock.advance(1);
  }
  await clock.advance(100);
  assertEquals(log, Array.from({ length: 30 }, (_, i) => `${i}@1100`));
});

test("Deadlines have one timer, for the earliest, and none when the last one has gone", async () => {
  const { clock, deadlines, note } = setUp();
  const late = note("late");
  const early = note("early");
  deadlines.add(late, 500);
  await settle();
  assertEquals(clock.pending, 1);
  deadlines.add(early, 100);
  deadlines.add(note("middle"), 200);
  await settle();
  assertEquals(clock.pending, 1);
  assert(deadlines.remove(early));
  await clock.advance(300);
  assertEquals([deadlines.size, clock.pending], [1, 1]);
  assert(deadlines.remove(late));
  await settle();
  assertEquals([deadlines.size, clock.pending], [0, 0]);
});

test("Deadlines that are removed in the same turn read no clock and set no timer", async () => {
  const clock = new CountingClock();
  const deadlines = new Deadlines(clock);
  const one = new Act(() => assert(false));
  for (let i = 0; i < 1000; i++) {
    deadlines.add(one, 100);
    deadlines.remove(one);
  }
  await settle();
  assertEquals([clock.reads, clock.timers], [0, 0]);
});

test("Deadlines that come and go, again and again, cost one timer", async () => {
  const clock = new CountingClock();
  const deadlines = new Deadlines(clock);
  const one = new Act(() => assert(false));
  for (let i = 0; i < 1000; i++) {
    deadlines.add(one, 100);
    for (let hop = 0; hop < i % 5; hop++) await Promise.resolve();
    deadlines.remove(one);
    for (let hop = 0; hop < i % 7; hop++) await Promise.resolve();
  }
  assertEquals(clock.timers, 1);
  await settle();
  assertEquals(clock.virtual.pending, 0);
});

test("Deadlines read the clock once for all that come in one turn", async () => {
  const clock = new CountingClock();
  const deadlines = new Deadlines(clock);
  for (let i = 0; i < 1000; i++) deadlines.add(new Act(() => {}), 100);
  await settle();
  assertEquals([clock.reads, clock.timers], [1, 1]);
  await clock.virtual.advance(100);
  assertEquals([clock.reads, deadlines.size], [2, 0]);
});

test("Deadlines.nowMs is read once in a turn, and anew in the next", async () => {
  const clock = new CountingClock();
  const deadlines = new Deadlines(clock);
  assertEquals([deadlines.nowMs, deadlines.nowMs, clock.reads], [0, 0, 1]);
  await clock.virtual.advance(5);
  assertEquals([deadlines.nowMs, deadlines.nowMs, clock.reads], [5, 5, 2]);
  await settle();
  assertEquals(clock.timers, 0);
});

test("Deadlines.add() with Infinity lets a deadline never expire", async () => {
  const { clock, deadlines, log, note } = setUp();
  const never = note("never");
  deadlines.add(never, Infinity);
  assertEquals([deadlines.size, never.dueMs], [0, Infinity]);
  await clock.advance(1e12);
  assertEquals([log, clock.pending], [[], 0]);
  assertFalse(deadlines.remove(never));
  deadlines.add(never, 10);
  deadlines.add(never, Infinity);
  await clock.advance(1e12);
  assertEquals([log, clock.pending], [[], 0]);
});

test("Deadlines.add() begins anew with one that waits", async () => {
  const { clock, deadlines, log, note } = setUp();
  const [a, b, c] = [note("a"), note("b"), note("c")];
  for (const one of [a, b, c]) deadlines.add(one, 100);
  deadlines.add(a, 200); // before its time has begun
  await clock.advance(60);
  deadlines.add(b, 100); // after it has
  assertEquals(deadlines.size, 3);
  await clock.advance(1000);
  assertEquals(log, ["c@1100", "b@1160", "a@1200"]);
});

test("Deadline.dueMs is Infinity when it does not wait, and when its time has not begun", async () => {
  const { clock, deadlines, note } = setUp();
  const one = note("one");
  assertEquals(one.dueMs, Infinity);
  deadlines.add(one, 30);
  assertEquals(one.dueMs, Infinity);
  await settle();
  assertEquals(one.dueMs, 1030);
  deadlines.remove(one);
  assertEquals(one.dueMs, Infinity);
  for (let i = 1; i <= 9; i++) deadlines.add(note(`${i}`), i); // the next one waits in the heap
  deadlines.add(one, 30);
  await settle();
  assertEquals(one.dueMs, 1030);
  await clock.advance(30);
  assertEquals(one.dueMs, Infinity);
});

test("Deadlines.add() refuses a delay that is negative or not a number, and changes nothing", async () => {
  const { clock, deadlines, log, note } = setUp();
  const one = note("one");
  deadlines.add(one, 10);
  for (const delayMs of [-1, NaN, -Infinity]) {
    assertThrows(
      () => deadlines.add(one, delayMs),
      RangeError,
      `Cannot use delayMs "${delayMs}": expected 0 or more milliseconds`,
    );
  }
  await clock.advance(10);
  assertEquals(log, ["one@1010"]);
});

test("Deadlines leave alone what waits among others", async () => {
  const { clock, deadlines, log, note } = setUp();
  const others = new Deadlines(clock);
  const notes = Array.from({ length: 10 }, (_, i) => note(`${i}`));
  for (const [i, one] of notes.entries()) deadlines.add(one, i + 1);
  others.add(note("other"), 5);
  for (let round = 0; round < 2; round++) {
    for (const one of notes) {
      assertFalse(others.remove(one));
      assertThrows(() => others.add(one, 5), TypeError, "Cannot add deadline: it waits among");
    }
    await settle(); // once while they are fresh, once when their time has begun
  }
  assertEquals([deadlines.size, others.size], [10, 1]);
  await clock.advance(20);
  assertEquals(log.length, 11);
});

test("Deadlines.remove() is false for one that has expired or was removed", async () => {
  const { clock, deadlines, note } = setUp();
  const [a, b] = [note("a"), note("b")];
  deadlines.add(a, 10);
  deadlines.add(b, 20);
  await clock.advance(10);
  assertFalse(deadlines.remove(a));
  assert(deadlines.remove(b));
  assertFalse(deadlines.remove(b));
  assertEquals(deadlines.size, 0);
  await settle();
});

test("Deadlines may be added and removed while others expire", async () => {
  const { clock, deadlines, log, note } = setUp();
  const victim = note("victim");
  const again = new Act((self) => {
    log.push(`again@${clock.now()}`);
    if (log.length < 4) deadlines.add(self, 0);
  });
  deadlines.add(
    new Act(() => {
      assert(deadlines.remove(victim));
      deadlines.add(note("new"), 5);
    }),
    10,
  );
  deadlines.add(victim, 10);
  deadlines.add(again, 10);
  await clock.advance(100);
  assertEquals(log, ["again@1010", "again@1010", "again@1010", "again@1010", "new@1015"]);
  assertEquals([deadlines.size, clock.pending], [0, 0]);
});

test("Deadlines that add themselves again with no delay let others have their turn", async () => {
  const { clock, deadlines } = setUp();
  let left = 5;
  let runs = 0;
  const again = new Act((self) => {
    runs++;
    if (--left > 0) deadlines.add(self, 0);
    void Promise.resolve().then(() => void runs++);
  });
  deadlines.add(again, 0);
  const seen: number[] = [];
  for (let i = 0; i < 5; i++) {
    await clock.advance(0);
    seen.push(runs);
  }
  assertEquals(seen.at(-1), 10);
});

test("Deadlines tell onError what an expire threw, and the others expire", async () => {
  const clock = new VirtualClock();
  const errors: unknown[] = [];
  const thrown = new Error("first");
  const deadlines = new Deadlines(clock, { onError: (error) => errors.push(error) });
  const log: string[] = [];
  deadlines.add(
    new Act(() => {
      throw thrown;
    }),
    10,
  );
  deadlines.add(new Note("second", log, clock), 10);
  deadlines.add(new Note("third", log, clock), 20);
  await clock.advance(20);
  assertEquals([errors, log], [[thrown], ["second@10", "third@20"]]);
});

test("Deadlines throw in a microtask what nobody takes, and the others expire", async () => {
  const { queueMicrotask } = globalThis;
  for (const onError of [undefined, (error: unknown) => void thrower(`onError: ${error}`)]) {
    const clock = new VirtualClock();
    const log: string[] = [];
    const deadlines = new Deadlines(clock, onError === undefined ? {} : { onError });
    deadlines.add(new Act(() => thrower("first")), 10);
    deadlines.add(new Note("second", log, clock), 10);
    const tasks: (() => void)[] = [];
    globalThis.queueMicrotask = (task) => void tasks.push(task);
    try {
      await clock.advance(10);
    } finally {
      globalThis.queueMicrotask = queueMicrotask;
    }
    assertEquals(log, ["second@10"]);
    const message = onError === undefined ? "first" : "onError: Error: first";
    assertEquals(tasks.length, 1);
    assertThrows(tasks[0]!, Error, message);
  }
});

function thrower(message: string): never {
  throw new Error(message);
}

test("Deadlines with a clock whose timers come early are not early, and set few timers", async () => {
  const virtual = new VirtualClock();
  let timers = 0;
  const clock: Clock = {
    now: () => virtual.now(),
    schedule(delayMs, run) {
      if (++timers > 50) throw new Error("50 timers were not enough");
      return virtual.schedule(Math.trunc(delayMs), run);
    },
  };
  const deadlines = new Deadlines(clock);
  const log: string[] = [];
  for (const delayMs of [10, 20.5, 100.25]) {
    deadlines.add(new Note(`${delayMs}`, log, clock), delayMs);
  }
  await virtual.advance(200);
  for (const line of log) {
    const [delayMs, atMs] = line.split("@").map(Number);
    assert(atMs! >= delayMs! && atMs! < delayMs! + 1, `${delayMs} expired at ${atMs}`);
  }
  assertEquals(log.length, 3);
  assertEquals(timers, 5); // two for those that are not whole, and for the one behind
});

test("Deadlines do what a plain list does, in 8,000 random steps", () =>
  withSeeds([1, 2, 3, 4], async (dice, seed) => {
    interface Wait {
      name: string;
      dueMs: number;
    }
    const { clock, deadlines, log, note } = setUp();
    const delays = [5, 40, 40, 40, 300].slice(0, seed + 1);
    let waits: Wait[] = [];
    const expected: string[] = [];
    const notes: Note[] = [];
    for (let step = 0; step < 2000; step++) {
      const what = dice.random();
      if (what < 0.45) {
        const again = notes.length > 0 && dice.random() < 0.1;
        const one = again ? dice.oneOf(notes) : note(`${step}`);
        const delayMs = dice.random() < 0.7 ? dice.oneOf(delays) : dice.below(200);
        deadlines.add(one, delayMs);
        waits = waits.filter(({ name }) => name !== one.name);
        waits.push({ name: one.name, dueMs: clock.now() + delayMs });
        if (!again) notes.push(one);
      } else if (what < 0.85 && notes.length > 0) {
        const one = dice.oneOf(notes);
        assertEquals(deadlines.remove(one), waits.some(({ name }) => name === one.name));
        waits = waits.filter(({ name }) => name !== one.name);
      } else if (what < 0.95) {
        await settle();
        assert(clock.pending <= 1, `${clock.pending} timers in step ${step}`);
        if (waits.length === 0) assertEquals(clock.pending, 0, `timers in step ${step}`);
      } else {
        const ms = dice.below(60);
        const nowMs = clock.now() + ms;
        await clock.advance(ms);
        const due = waits.filter(({ dueMs }) => dueMs <= nowMs);
        due.sort((one, other) => one.dueMs - other.dueMs); // stable: the older one first
        expected.push(...due.map(({ name, dueMs }) => `${name}@${dueMs}`));
        waits = waits.filter(({ dueMs }) => dueMs > nowMs);
        assertEquals(log, expected, `expired until step ${step}`);
      }
      if (notes.length > 200) notes.splice(0, 100);
      assertEquals(deadlines.size, waits.length, `size in step ${step}`);
    }
    await clock.runAll();
    assertEquals([deadlines.size, clock.pending], [0, 0]);
  }));

test("Deadlines on the runtime's clock expire, never early, and leave no timer", async () => {
  const deadlines = new Deadlines(systemClock);
  const early: string[] = [];
  const expire = (delayMs: number) =>
    new Promise<void>((resolve) => {
      const began = systemClock.now();
      deadlines.add(
        new Act(() => {
          const tookMs = systemClock.now() - began;
          if (tookMs < delayMs) early.push(`${delayMs} ms took ${tookMs}`);
          resolve();
        }),
        delayMs,
      );
    });
  const never = new Act(() => assert(false));
  deadlines.add(never, 60_000);
  await Promise.all([0, 0.4, 1, 3.3, 7.9, 12, 12.1, 20.9].map(expire));
  assertEquals(early, []);
  deadlines.remove(never); // Deno's sanitizers would report the timer
  assertEquals(deadlines.size, 0);
});

test("Deadlines cost with 50,000 that wait about what they cost with 500", async () => {
  const cost = async (waiting: number): Promise<number> => {
    const clock = new VirtualClock();
    const deadlines = new Deadlines(clock);
    const waits = Array.from({ length: waiting }, () => new Act(() => {}));
    for (const [i, one] of waits.entries()) deadlines.add(one, 1000 + i % 20);
    await settle();
    const spentMs = startCpuTime();
    for (let i = 0; i < 20_000; i++) {
      const one = waits[(i * 7919) % waiting]!;
      deadlines.remove(one);
      deadlines.add(one, 1000 + i % 20);
      if (i % 16 === 0) await Promise.resolve();
    }
    const tookMs = spentMs();
    for (const one of waits) deadlines.remove(one);
    await settle();
    assertEquals(clock.pending, 0);
    return tookMs;
  };
  await cost(500); // warm
  let few = Infinity;
  let many = Infinity;
  for (let round = 0; round < 3; round++) {
    few = Math.min(few, await cost(500));
    many = Math.min(many, await cost(50_000));
  }
  assert(many < few * 25, `${many.toFixed(1)} ms against ${few.toFixed(1)} ms`);
});
