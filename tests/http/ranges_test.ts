// parseRanges(): several ranges. What one range means is in range_test.ts.
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type ByteRange, parseRanges, type RangeOptions } from "../../src/core.ts";
import { test } from "../harness.ts";
import { startCpuTime } from "../support/cpu_time.ts";

/** How often the property is tried. */
const RUNS = Number(process.env.JACKFIELD_RANGES ?? 2000);

/** The ranges as text: `0-9` is the first ten bytes. */
function read(field: string | undefined, size = 1000, options: RangeOptions = {}): string {
  const ranges = parseRanges(field, size, options);
  if (typeof ranges !== "object") return String(ranges);
  return ranges.map(({ start, end }) => `${start}-${end - 1}`).join(" ");
}

test("parseRanges() keeps the order of the request (RFC 9110, 14.6)", () => {
  assertEquals(read("bytes=900-,0-9,400-409"), "900-999 0-9 400-409");
  assertEquals(read("bytes=0-9"), "0-9");
  assertEquals(read(undefined), "undefined");
});

test("parseRanges() joins what overlaps, touches or nearly touches (RFC 9110, 15.3.7.2)", () => {
  assertEquals(read("bytes=0-9,5-14,15-19"), "0-19");
  assertEquals(read("bytes=0-9,90-99"), "0-99");
  assertEquals(read("bytes=0-9,91-99"), "0-9 91-99");
  assertEquals(read("bytes=0-9,11-19", 1000, { maxGapBytes: 0 }), "0-9 11-19");
  assertEquals(read("bytes=0-9,10-19", 1000, { maxGapBytes: 0 }), "0-19");
  assertEquals(read("bytes=0-9,500-509,300-309,100-499"), "0-9 100-509");
});

test("parseRanges() leaves out what the file has no byte of (RFC 9110, 15.3.7.2)", () => {
  assertEquals(read("bytes=1000-,0-9,-0"), "0-9");
  assertEquals(read("bytes=1000-,2000-"), "unsatisfiable");
});

test("parseRanges() ignores a field with more ranges than allowed (RFC 9110, 17.15)", () => {
  const field = (count: number) => `bytes=${Array(count).fill("0-0").join(",")}`;
  assertEquals(read(field(32)), "0-0");
  assertEquals(read(field(33)), "undefined");
  assertEquals(read(field(3), 1000, { maxRanges: 3 }), "0-0");
  assertEquals(read(field(4), 1000, { maxRanges: 3 }), "undefined");
  // Empty elements are no ranges, and ranges outside are.
  assertEquals(read("bytes=,,0-0,,", 1000, { maxRanges: 1 }), "0-0");
  assertEquals(read("bytes=0-0,5000-", 1000, { maxRanges: 1 }), "undefined");
});

test("parseRanges() ignores the whole field when one range is malformed (RFC 9110, 14.2)", () => {
  for (const bad of ["5-4", "x", "1", "-", "--1", "1-2-3", "1 -2", "\x001-2", "1-2;"]) {
    assertEquals(read(`bytes=0-9,${bad}`), "undefined", bad);
    assertEquals(read(`bytes=${bad},0-9`), "undefined", bad);
  }
});

test("parseRanges() compares numbers beyond what a number holds exactly (RFC 9110, 14.1.1)", () => {
  assertEquals(read("bytes=9007199254740993-9007199254740992"), "undefined");
  assertEquals(read("bytes=9007199254740992-9007199254740993"), "unsatisfiable");
  assertEquals(read(`bytes=${"0".repeat(30)}5-7`), "5-7");
});

/** What is asked for, byte by byte, by a reading of its own. */
function wanted(specs: readonly string[], size: number): boolean[] {
  const bytes = Array<boolean>(size).fill(false);
  for (const spec of specs) {
    const [first, last] = spec.split("-") as [string, string];
    const from = first === "" ? Math.max(size - Number(last), 0) : Number(first);
    const to = first === "" || last === "" ? size : Math.min(Number(last) + 1, size);
    for (let at = from; at < to; at++) bytes[at] = true;
  }
  return bytes;
}

const spec: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(fc.nat(300), fc.nat(300)).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  fc.nat(300).map((first) => `${first}-`),
  fc.nat(300).map((length) => `-${length}`),
);

test("parseRanges() asks for every wanted byte once, and for others only in small gaps", {
  timeoutMs: 600_000,
}, () => {
  fc.assert(
    fc.property(
      fc.array(spec, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 256 }),
      fc.nat(40),
      (specs, size, maxGapBytes) => {
        const ranges = parseRanges(`bytes=${specs.join(",")}`, size, { maxGapBytes });
        const expected = wanted(specs, size);
        if (ranges === "unsatisfiable") return assert(!expected.includes(true));
        assert(ranges !== undefined);
        const given = Array<number>(size).fill(0);
        for (const { start, end } of ranges) {
          assert(start >= 0 && start < end && end <= size, `${start}-${end} of ${size}`);
          for (let at = start; at < end; at++) given[at]!++;
          // Within a range no gap is longer than allowed, and it begins and ends with a wanted byte.
          assert(expected[start] && expected[end - 1]);
          let gap = 0;
          for (let at = start; at < end; at++) {
            gap = expected[at] ? 0 : gap + 1;
            assert(gap <= maxGapBytes, `gap of ${gap} in ${start}-${end}`);
          }
        }
        expected.forEach((isWanted, at) => assert(!isWanted || given[at] === 1, `byte ${at}`));
        assert(given.every((times) => times <= 1));
        assertApart(ranges, maxGapBytes);
      },
    ),
    { numRuns: RUNS },
  );
});

/** Two ranges that nearly touch should have become one. */
function assertApart(ranges: readonly ByteRange[], gap: number): void {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  sorted.slice(1).forEach((range, index) => assert(range.start - sorted[index]!.end > gap));
}

test("parseRanges() reads any text in no time", () => {
  const spentMs = startCpuTime();
  for (
    const field of [
      `bytes=${" ".repeat(16_000)}x`,
      `bytes=${",".repeat(16_000)}`,
      `bytes=${"1".repeat(16_000)}-${"2".repeat(16_000)}`,
      `bytes=${"0-0,".repeat(4000)}`,
      `bytes=${"-".repeat(16_000)}`,
    ]
  ) parseRanges(field, 1000, { maxRanges: 10_000 });
  const ms = spentMs();
  assert(ms < 1000, `took ${ms} ms`);
});
