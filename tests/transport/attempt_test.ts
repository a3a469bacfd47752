import { assertEquals, assertThrows } from "@std/assert";
import { attempt, type AttemptOptions, type JackfieldError } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { deferred } from "./fakes.ts";
import { rejection } from "./tools.ts";

const address = { hostname: "192.0.2.1", port: 80 };
const reason = new Error("enough");

/** An attempt whose outcome the test decides; everything that happens stands in `log`. */
function begin(options: Partial<AttemptOptions<string>> = {}) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const outcome = deferred<string>();
  const log: string[] = [];
  const promise = attempt<string>({
    clock,
    address,
    signal: stop.signal,
    timeoutMs: 1000,
    start: (stop) => {
      stop.onStop(() => log.push("stopped"));
      return outcome.promise;
    },
    undo: (result) => void log.push(`undone ${result}`),
    released: () => void log.push("released"),
    ...options,
  });
  promise.then((result) => log.push(`resolved ${result}`), () => log.push("rejected"));
  return { clock, stop, outcome, log, promise };
}

test("attempt() gives the result, and leaves no timer and no listener", async () => {
  const { clock, stop, outcome, log, promise } = begin();
  assertEquals(clock.pending, 1);
  outcome.resolve("socket");
  assertEquals(await promise, "socket");
  assertEquals(clock.pending, 0);
  stop.abort(reason); // too late to matter
  await clock.advance(5000);
  assertEquals(log, ["resolved socket"]);
});

test("attempt() gives the failure as it is, and says that nothing is held", async () => {
  const { clock, stop, outcome, log, promise } = begin();
  const failure = new Error("refused");
  outcome.reject(failure);
  assertEquals(await rejection(promise) === failure, true);
  assertEquals(clock.pending, 0);
  stop.abort(reason);
  await clock.settle();
  assertEquals(log.toSorted(), ["rejected", "released"]);
});

test("attempt() begins nothing when the signal was aborted before", async () => {
  const stop = new AbortController();
  stop.abort(reason);
  let began = false;
  const { clock, promise } = begin({
    signal: stop.signal,
    start: () => {
      began = true;
      return deferred<string>().promise;
    },
  });
  assertEquals(await rejection(promise) === reason, true);
  assertEquals([began, clock.pending], [false, 0]);
});

test("attempt() rejects at once with the signal's reason, and undoes a result that comes too late", async () => {
  const { clock, stop, outcome, log, promise } = begin();
  stop.abort(reason);
  assertEquals(await rejection(promise) === reason, true);
  assertEquals([log, clock.pending], [["stopped", "rejected"], 0]);
  outcome.resolve("socket");
  await clock.settle();
  assertEquals(log, ["stopped", "rejected", "undone socket", "released"]);
});

test("attempt() rejects at once with the signal's reason, and releases after a late failure", async () => {
  const { clock, stop, outcome, log, promise } = begin();
  stop.abort(reason);
  await rejection(promise);
  outcome.reject(new Error("too late"));
  await clock.settle();
  assertEquals(log, ["stopped", "rejected", "released"]);
});

test("attempt() gives up when the time is over, and names phase and limit", async () => {
  const { clock, outcome, log, promise } = begin();
  await clock.advance(999);
  assertEquals(log, []);
  await clock.advance(1);
  const error = await rejection(promise) as JackfieldError;
  assertEquals([error.code, error.phase, error.reason, error.limit, error.address], [
    "CONNECT_TIMEOUT",
    "connect",
    "timeout",
    1000,
    address,
  ]);
  assertEquals(error.message, "Cannot connect to 192.0.2.1:80: no answer in 1000 ms");
  outcome.resolve("socket");
  await clock.settle();
  assertEquals(log, ["stopped", "rejected", "undone socket", "released"]);
});

test("attempt() counts what comes first: result, abort or time", async () => {
  const late = begin();
  late.stop.abort(reason);
  await late.clock.advance(2000);
  assertEquals(await rejection(late.promise) === reason, true);

  const both = begin();
  both.outcome.resolve("socket");
  both.stop.abort(reason); // in the same turn, before the result was seen
  assertEquals(await rejection(both.promise) === reason, true);
  await both.clock.settle();
  assertEquals(both.log.filter((line) => line !== "stopped").toSorted(), [
    "rejected",
    "released",
    "undone socket",
  ]);
});

test("attempt() takes no limit and no signal for an answer", async () => {
  const { clock, outcome, promise } = begin({ timeoutMs: Infinity, signal: undefined });
  assertEquals(clock.pending, 0);
  outcome.resolve("socket");
  assertEquals(await promise, "socket");
});

test("attempt() refuses a limit that is none", () => {
  for (const timeoutMs of [0, -1, NaN]) {
    assertThrows(() => begin({ timeoutMs }), RangeError, `timeoutMs "${timeoutMs}"`);
  }
});

test("attempt() works without `released`", async () => {
  const { clock, stop, outcome, promise } = begin({ released: undefined });
  stop.abort(reason);
  await rejection(promise);
  outcome.resolve("socket");
  await clock.settle();
  const failing = begin({ released: undefined });
  failing.outcome.reject(reason);
  assertEquals(await rejection(failing.promise) === reason, true);
});

test("attempt() rejects, and holds nothing, when beginning throws", async () => {
  const failure = new Error("not even begun");
  const { clock, log, promise } = begin({
    start: () => {
      throw failure;
    },
  });
  assertEquals(await rejection(promise) === failure, true);
  await clock.settle();
  assertEquals([clock.pending, log.toSorted()], [0, ["rejected", "released"]]);
});

// Faults at each await of a connect of several steps: name, connection, handshake.
for (const end of ["abort", "timeout", "failure"] as const) {
  test(`attempt() holds nothing after ${end} at any step of a longer connect`, async () => {
    for (let step = 0; step < 4; step++) {
      let held = 0;
      const steps = Array.from({ length: 4 }, () => deferred<void>());
      const { clock, stop, log, promise } = begin({
        start: async (stop) => {
          await steps[0]!.promise;
          stop.throwIfStopped();
          held++; // a descriptor
          try {
            for (const one of steps.slice(1)) {
              await one.promise;
              stop.throwIfStopped();
            }
            return "socket";
          } catch (error) {
            held--;
            throw error;
          }
        },
        undo: () => held--,
      });
      for (const one of steps.slice(0, step)) one.resolve();
      await clock.settle();
      if (end === "abort") stop.abort(reason);
      if (end === "timeout") await clock.advance(1000);
      if (end === "failure") steps[step]!.reject(reason);
      await rejection(promise);
      for (const one of steps) one.resolve();
      await clock.settle();
      assertEquals([held, clock.pending], [0, 0], `${end} at step ${step}`);
      assertEquals(log.filter((line) => line === "released").length, 1);
    }
  });
}
