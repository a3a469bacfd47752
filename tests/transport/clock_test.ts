import { assert, assertEquals } from "@std/assert";
import { delay, systemClock } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { rejection } from "./tools.ts";

/** A signal that counts the listeners it has. */
function countingSignal(): { stop: AbortController; listeners: () => number } {
  const stop = new AbortController();
  const { signal } = stop;
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count--;
    remove(...args);
  };
  return { stop, listeners: () => count };
}

test("delay() waits on its clock", async () => {
  const clock = new VirtualClock();
  let over = false;
  const waiting = delay(clock, 1000).then(() => over = true);
  await clock.advance(999);
  assertEquals(over, false);
  await clock.advance(1);
  assertEquals(over, true);
  await waiting;
});

test("delay() rejects with the signal's reason and takes its timer back", async () => {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const reason = new Error("enough");
  const waiting = rejection(delay(clock, 1000, stop.signal));
  assertEquals(clock.pending, 1);
  stop.abort(reason);
  assertEquals(await waiting, reason);
  assertEquals(clock.pending, 0);
  assertEquals(await rejection(delay(clock, 1000, stop.signal)), reason);
  assertEquals(clock.pending, 0);
});

test("delay() leaves no listener on the signal", async () => {
  const clock = new VirtualClock();
  const { stop, listeners } = countingSignal();
  const waiting = delay(clock, 1000, stop.signal);
  assertEquals(listeners(), 1);
  await clock.advance(1000);
  await waiting;
  assertEquals(listeners(), 0);
  stop.abort(); // nobody listens any more
});

test("systemClock never goes back, runs a timer and takes one back", async () => {
  const before = systemClock.now();
  const cancel = systemClock.schedule(1, () => assert(false, "the timer was taken back"));
  cancel();
  await new Promise<void>((resolve) => systemClock.schedule(5, resolve));
  assert(systemClock.now() > before);
});

test("systemClock does not run a timer of more than 25 days at once", async () => {
  let ran = false;
  const cancels = [2 ** 31, 1e15, Infinity].map((ms) => systemClock.schedule(ms, () => ran = true));
  await new Promise<void>((resolve) => systemClock.schedule(20, resolve));
  assertEquals(ran, false);
  for (const cancel of cancels) cancel();
});
