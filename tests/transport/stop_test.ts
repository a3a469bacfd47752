import { assertEquals, assertThrows } from "@std/assert";
import { Stop } from "../../src/core.ts";
import { test } from "../harness.ts";

const reason = new Error("enough");

test("Stop.stop() does once what was said last", () => {
  const stop = new Stop();
  const log: string[] = [];
  stop.throwIfStopped();
  stop.onStop(() => log.push("first"));
  stop.onStop(() => log.push("second"));
  stop.stop(reason);
  stop.stop(new Error("the first reason counts"));
  assertEquals(log, ["second"]);
  assertEquals(assertThrows(() => stop.throwIfStopped()), reason);
});

test("Stop.onStop() acts at once when it was told before, and not after it was taken back", () => {
  const stop = new Stop();
  const log: string[] = [];
  stop.onStop(() => log.push("taken back"));
  stop.onStop(undefined);
  stop.stop(reason);
  assertEquals(log, []);
  stop.onStop(() => log.push("late"));
  assertEquals(log, ["late"]);
});

test("Stop.signal is aborted with the reason, whether asked for before or after", () => {
  const before = new Stop();
  const { signal } = before;
  assertEquals(signal.aborted, false);
  before.stop(reason);
  const after = new Stop();
  after.stop(reason);
  for (const one of [signal, after.signal]) assertEquals([one.aborted, one.reason], [true, reason]);
});
