// The plan against a table with one cell for each byte.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Piece, UnitPlan } from "../../src/parallel/unit_plan.ts";
import { test } from "../harness.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";

type Cell = "free" | "done" | Piece;

/** One schedule: anything that workers may do, in any order. */
function runSchedule(dice: Dice): void {
  const size = 1 + dice.below(300);
  const unitBytes = 1 + dice.below(60);
  const cells: Cell[] = new Array<Cell>(size).fill("free");
  const done: { start: number; end: number }[] = [];
  if (dice.below(3) === 0) {
    const start = dice.below(size);
    done.push({ start, end: start + dice.below(size - start + 10) });
    cells.fill("done", start, Math.min(size, done[0]!.end));
  }
  const plan = new UnitPlan({ size, unitBytes, done });
  const pieces: Piece[] = [];
  const fetched = new Array<number>(size).fill(0);
  let units = 0;
  const settle = (piece: Piece) => {
    cells.fill("done", piece.settled, piece.at);
    units += plan.settle(piece);
  };
  const giveBack = (piece: Piece) => {
    for (let at = piece.settled; at < piece.at; at++) fetched[at]!--; // thrown away
    cells.fill("free", piece.settled, piece.end);
    plan.giveBack(piece);
    pieces.splice(pieces.indexOf(piece), 1);
  };
  for (let step = 0; step < 2000 && !plan.isComplete; step++) {
    const piece = pieces.length > 0 ? dice.oneOf(pieces) : undefined;
    const act = dice.below(10);
    if (act < 3 || piece === undefined) {
      const limit = dice.below(3) === 0 ? dice.below(size + 1) : Infinity;
      const first = cells.indexOf("free");
      const claimed = plan.claim(1 + dice.below(3 * unitBytes), limit);
      assertEquals(claimed === undefined, first < 0 || first >= limit);
      if (claimed === undefined) continue;
      assertEquals(claimed.start, first);
      assert(claimed.end > claimed.start && claimed.end <= Math.min(limit, size));
      const free = cells.slice(claimed.start, claimed.end).every((cell) => cell === "free");
      assert(free, "what is assigned was free");
      cells.fill(claimed, claimed.start, claimed.end);
      pieces.push(claimed);
    } else if (act < 7) {
      const count = dice.below(unitBytes + 1);
      const { at } = piece;
      const wanted = plan.advance(piece, count);
      assertEquals(wanted, Math.min(count, piece.end - at));
      for (let byte = at; byte < at + wanted; byte++) fetched[byte]!++;
      if (piece.at === piece.end || plan.hasUnit(piece)) settle(piece);
      if (piece.at === piece.end) giveBack(piece);
    } else if (act === 7) settle(piece);
    else if (act === 8) giveBack(piece);
    else if (piece.at < piece.end) {
      const from = piece.at + dice.below(piece.end - piece.at);
      const other = plan.split(piece, from);
      cells.fill(other, other.start, other.end);
      pieces.push(other);
    }
    assertEquals(plan.doneBytes, cells.filter((cell) => cell === "done").length);
    assertEquals(plan.freeBytes, cells.filter((cell) => cell === "free").length);
    assertEquals(plan.firstFree, cells.includes("free") ? cells.indexOf("free") : undefined);
    const frontier = cells.findIndex((cell) => cell !== "done");
    assertEquals(plan.frontier, frontier < 0 ? size : frontier);
    assertEquals(plan.pieces.size, pieces.length);
  }
  for (const piece of pieces.slice()) giveBack(piece);
  for (let piece = plan.claim(); piece !== undefined; piece = plan.claim()) {
    for (let at = piece.start; at < piece.end; at++) fetched[at]!++;
    plan.advance(piece, piece.end - piece.at);
    units += plan.settle(piece);
    plan.giveBack(piece);
  }
  assert(plan.isComplete);
  const [had] = done;
  for (let at = 0; at < size; at++) {
    const wasThere = had !== undefined && at >= had.start && at < had.end;
    assertEquals(fetched[at], wasThere ? 0 : 1, `byte ${at}`);
  }
  if (had === undefined) assertEquals(units, Math.ceil(size / unitBytes));
}

test("UnitPlan has every byte fetched and kept exactly once, in a thousand schedules", async () => {
  const seeds = Array.from({ length: 1000 }, (_, seed) => seed);
  await withSeeds(seeds, runSchedule);
});

test("UnitPlan.claim() ends with a unit, and takes several when asked to", () => {
  const plan = new UnitPlan({ size: 1000, unitBytes: 100 });
  const range = ({ start, end }: Piece) => [start, end];
  assertEquals(range(plan.claimExactly(0, 30)), [0, 30]);
  assertEquals(range(plan.claim()!), [30, 100]);
  assertEquals(range(plan.claim(250)!), [100, 300]);
  assertEquals(range(plan.claim(1)!), [300, 400]);
  assertEquals(range(plan.claim(100, 450)!), [400, 450]);
  assertEquals(plan.claim(100, 450), undefined);
  assertEquals(range(plan.claim(1e9)!), [450, 1000]);
  assertThrows(() => plan.claimExactly(0, 10), RangeError, "not free");
});

test("UnitPlan refuses a piece that has ended, and a split behind it", () => {
  const plan = new UnitPlan({ size: 100, unitBytes: 100 });
  const piece = plan.claim()!;
  plan.advance(piece, 50);
  assertThrows(() => plan.split(piece, 49), RangeError, "49");
  assertThrows(() => plan.split(piece, 100), RangeError, "100");
  plan.giveBack(piece);
  for (const use of [() => plan.advance(piece, 1), () => plan.giveBack(piece)]) {
    assertThrows(use, Error, "has ended");
  }
});
