import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Intervals } from "../../src/parallel/intervals.ts";
import { test } from "../harness.ts";

const SIZE = 40;

test("Intervals holds exactly what was put in and not taken out", () => {
  const step = fc.record({
    adds: fc.boolean(),
    start: fc.integer({ min: 0, max: SIZE }),
    length: fc.integer({ min: 0, max: SIZE }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const set = new Intervals();
      const bits = new Array<boolean>(SIZE).fill(false);
      for (const { adds, start, length } of steps) {
        const end = Math.min(SIZE, start + length);
        if (adds) set.add(start, end);
        else set.remove(start, end);
        bits.fill(adds, start, Math.max(start, end));
        const expected: [number, number][] = [];
        for (let at = 0; at < SIZE; at++) {
          if (!bits[at]) continue;
          if (at > 0 && bits[at - 1]) expected.at(-1)![1]++;
          else expected.push([at, at + 1]);
        }
        assertEquals(set.list.map(({ start, end }) => [start, end]), expected);
        assertEquals(set.bytes, bits.filter(Boolean).length);
        assertEquals(set.frontier, bits[0] ? expected[0]![1] : 0);
        const isIn = bits.slice(start, end).every(Boolean);
        assertEquals(set.has(start, end), isIn);
        const gaps = set.missing(SIZE).flatMap(({ start, end }) =>
          Array.from({ length: end - start }, (_, index) => start + index)
        );
        assertEquals(gaps, bits.flatMap((bit, at) => bit ? [] : [at]));
      }
    }),
    { numRuns: 500 },
  );
});
