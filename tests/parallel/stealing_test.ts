import { assert, assertEquals } from "@std/assert";
import { chooseTheft, type Moving } from "../../src/parallel/stealing.ts";
import type { Piece } from "../../src/parallel/unit_plan.ts";
import { test } from "../harness.ts";

const MIB = 2 ** 20;

function moving(restBytes: number, bytesPerSecond: number, others: Partial<Moving> = {}): Moving {
  const piece: Piece = { start: 0, at: MIB, end: MIB + restBytes, settled: 0 };
  return { piece, bytesPerSecond, ageMs: 5000, takeovers: 0, ...others };
}

test("chooseTheft() splits the rest of the slowest so that both are done at once", () => {
  const [slow, fast] = [moving(4 * MIB, MIB), moving(4 * MIB, 8 * MIB)];
  const theft = chooseTheft([fast, slow], { bytesPerSecond: 3 * MIB, latencyMs: 0 })!;
  assertEquals(theft, { victim: slow, from: 2 * MIB, isWhole: false });
  const late = chooseTheft([slow], { bytesPerSecond: 3 * MIB, latencyMs: 200 })!;
  const own = (late.from - MIB) / MIB;
  const stolen = (5 * MIB - late.from) / MIB / 3 + 0.2;
  assert(Math.abs(own - stolen) < 0.001, `${own} and ${stolen} seconds`);
});

test("chooseTheft() takes all of it from one that stands still", () => {
  const dead = moving(4 * MIB, 0);
  assertEquals(chooseTheft([dead], { bytesPerSecond: MIB, latencyMs: 10 }), {
    victim: dead,
    from: MIB,
    isWhole: true,
  });
  assertEquals(
    chooseTheft([moving(1000, 10)], { bytesPerSecond: MIB, latencyMs: 10 })?.isWhole,
    true,
  );
});

test("chooseTheft() takes nothing when nobody would gain by it", () => {
  const thief = { bytesPerSecond: MIB, latencyMs: 10 };
  const cases: [string, Moving[], typeof thief][] = [
    ["nobody is there", [], thief],
    ["it is done soon", [moving(MIB / 8, MIB)], thief],
    ["it has just begun", [moving(4 * MIB, 0, { ageMs: 200 })], thief],
    ["it is too young to be taken as a whole", [moving(4 * MIB, 0, { ageMs: 900 })], thief],
    ["it was taken too often", [moving(4 * MIB, 0, { takeovers: 3 })], thief],
    ["a share would be too small", [moving(100_000, 100_000)], {
      ...thief,
      bytesPerSecond: 100_000,
    }],
    ["a trip takes as long", [moving(MIB, MIB)], { ...thief, latencyMs: 500 }],
    ["the thief's speed is not known", [moving(4 * MIB, 1)], { ...thief, bytesPerSecond: 0 }],
    ["nothing is left", [moving(0, 0)], thief],
  ];
  for (const [name, pieces, worker] of cases) {
    assertEquals(chooseTheft(pieces, worker), undefined, name);
  }
});
