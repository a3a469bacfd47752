import { assert, assertEquals } from "@std/assert";
import { PathLimit } from "../../../src/parallel/striped/path_limit.ts";
import { test } from "../../harness.ts";

const UNIT = 256 * 1024;

/** Keep as much on its way as is allowed, over a path of one rate and one delay; gives the limit. */
function fill(bytesPerMs: number, delayMs: number): PathLimit {
  const limit = new PathLimit(UNIT);
  const flights: { bornMs: number; arrivesMs: number }[] = [];
  let freeMs = 0;
  limit.begin(0);
  for (let nowMs = 0; nowMs < 20_000; nowMs++) {
    while (flights.length > 0 && flights[0]!.arrivesMs <= nowMs) {
      limit.tripped(nowMs - flights.shift()!.bornMs);
      limit.arrived(UNIT, nowMs);
    }
    while (flights.length === 0 || flights.length * UNIT < limit.bytes) {
      freeMs = Math.max(freeMs, nowMs) + UNIT / bytesPerMs;
      flights.push({ bornMs: nowMs, arrivesMs: freeMs + delayMs });
    }
  }
  return limit;
}

test("PathLimit lets two units stand on a slow path, so that nobody waits long for them", () => {
  assert(fill(3000, 1).bytes < 3 * UNIT, `${fill(3000, 1).bytes}`);
});

test("PathLimit fills a fast path with a long way", () => {
  const { bytes, bytesPerSecond } = fill(50_000, 80);
  const needed = 50_000 * 80;
  assert(bytes >= needed && bytes < 4 * needed, `${bytes} of ${needed}`);
  assert(bytesPerSecond > 40_000_000 && bytesPerSecond < 60_000_000, `${bytesPerSecond}`);
});

test("PathLimit starts with four units, and knows no rate then", () => {
  const limit = new PathLimit(UNIT);
  assertEquals([limit.bytes, limit.bytesPerSecond], [4 * UNIT, 0]);
});
