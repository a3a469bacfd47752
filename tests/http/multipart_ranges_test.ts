import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { newBoundary, planMultipart } from "../../src/core.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { textOf } from "../transport/tools.ts";
import { readParts } from "./wire.ts";

const RANGES = [{ start: 500, end: 600 }, { start: 0, end: 1 }, { start: 999, end: 1000 }];

test("planMultipart() writes delimiters and part heads (RFC 9110, 14.6)", () => {
  const plan = planMultipart(RANGES, { size: 1000, contentType: "text/plain", boundary: "B" });
  assertEquals(plan.contentType, "multipart/byteranges; boundary=B");
  const head = (range: string) =>
    `--B\r\nContent-Type: text/plain\r\nContent-Range: bytes ${range}/1000\r\n\r\n`;
  assertEquals(
    [...plan.parts()].map(({ head, offset, length }) => [textOf(head), offset, length]),
    [
      [head("500-599"), 500, 100],
      [`\r\n${head("0-0")}`, 0, 1],
      [`\r\n${head("999-999")}`, 999, 1],
      ["\r\n--B--\r\n", 0, 0],
    ],
  );
});

test("planMultipart() leaves Content-Type out of the parts when it is not known", () => {
  const plan = planMultipart(RANGES, { size: 1000, boundary: "B" });
  const [first] = plan.parts();
  assertEquals(textOf(first!.head), "--B\r\nContent-Range: bytes 500-599/1000\r\n\r\n");
});

test("planMultipart() knows the length before anything is sent, and can be sent twice", async () => {
  await withSeeds([1, 2, 3], (dice) => {
    for (let count = 0; count < 200; count++) {
      const size = 1 + dice.below(10 ** (1 + dice.below(15)));
      const ranges = Array.from({ length: 1 + dice.below(20) }, () => {
        const start = dice.below(size);
        return { start, end: start + 1 + dice.below(Math.min(size - start, 5000)) };
      });
      const contentType = dice.oneOf([undefined, "text/plain; charset=utf-8"]);
      const plan = planMultipart(ranges, { size, contentType, boundary: newBoundary(dice.random) });
      for (let times = 0; times < 2; times++) {
        let sum = 0;
        for (const { head, length } of plan.parts()) sum += head.byteLength + length;
        assertEquals(plan.contentLength, sum);
      }
    }
  });
});

test("planMultipart() is cut apart again by a reader that knows nothing of it", () => {
  const content = Uint8Array.from({ length: 1000 }, (_, at) => at * 7);
  const plan = planMultipart(RANGES, { size: 1000, boundary: newBoundary() });
  const body: number[] = [];
  for (const { head, offset, length } of plan.parts()) {
    body.push(...head, ...content.subarray(offset, offset + length));
  }
  const fields = new Map([["content-type", plan.contentType]]);
  const parts = readParts({ status: 206, fields, body: Uint8Array.from(body) });
  assertEquals(
    parts.map(({ bytes }) => bytes),
    RANGES.map(({ start, end }) => content.slice(start, end)),
  );
});

test("planMultipart() refuses boundaries and types that would end their line", () => {
  for (const boundary of ["", "a b", 'a"', "a\r\nb", "ä", "a".repeat(71)]) {
    assertThrows(() => planMultipart(RANGES, { size: 1000, boundary }), TypeError, "boundary");
  }
  const contentType = "text/plain\r\nX: 1";
  assertThrows(
    () => planMultipart(RANGES, { size: 1000, contentType, boundary: "B" }),
    TypeError,
    "Cannot write head",
  );
});

test("planMultipart() refuses ranges that are empty or leave the file", () => {
  for (const [start, end] of [[5, 5], [5, 4], [-1, 4], [0, 1001], [NaN, 4]] as const) {
    assertThrows(
      () => planMultipart([{ start, end }], { size: 1000, boundary: "B" }),
      RangeError,
      "Cannot send range",
    );
  }
});

test("newBoundary() gives another one each time, of characters that need no quotes", () => {
  const all = Array.from({ length: 1000 }, () => newBoundary());
  assertEquals(new Set(all).size, 1000);
  for (const boundary of all) assert(/^[0-9A-Za-z'_]{32}$/.test(boundary), boundary);
  // Every one of the 64 characters comes.
  assertEquals(new Set(all.join("")).size, 64);
  assertEquals(newBoundary(() => 0), "0".repeat(32));
  assertNotEquals(newBoundary(() => 0.999), newBoundary(() => 0.5));
});
