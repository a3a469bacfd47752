import { assertEquals } from "@std/assert";
import { type ByteRange, parseRange } from "../../src/core.ts";
import { test } from "../harness.ts";

type Outcome = ByteRange | "unsatisfiable" | undefined;

/** Each row: the field, the size of the file, and what is asked for. */
function table(name: string, ...rows: readonly [string | undefined, number, Outcome][]): void {
  test(`parseRange() ${name}`, () => {
    for (const [field, size, expected] of rows) {
      assertEquals(parseRange(field, size), expected, `${field} of ${size}`);
    }
  });
}

const bytes = (start: number, end: number): ByteRange => ({ start, end });
const HUGE = "9".repeat(400);

table(
  "reads a single range, both ends included (RFC 9110, 14.1.2)",
  ["bytes=0-499", 1000, bytes(0, 500)],
  ["bytes=500-999", 1000, bytes(500, 1000)],
  ["bytes=0-0", 1000, bytes(0, 1)],
  ["bytes=999-999", 1000, bytes(999, 1000)],
  ["bytes=007-008", 1000, bytes(7, 9)],
);
table(
  "reads an open range (RFC 9110, 14.1.2)",
  ["bytes=0-", 1000, bytes(0, 1000)],
  ["bytes=999-", 1000, bytes(999, 1000)],
);
table(
  "reads a suffix (RFC 9110, 14.1.2)",
  ["bytes=-1", 1000, bytes(999, 1000)],
  ["bytes=-1000", 1000, bytes(0, 1000)],
  ["bytes=-1001", 1000, bytes(0, 1000)],
);
table(
  "cuts a range that goes past the end (RFC 9110, 14.1.2)",
  ["bytes=500-1000", 1000, bytes(500, 1000)],
  ["bytes=0-99999999", 1000, bytes(0, 1000)],
);
table(
  "cannot satisfy a range behind the end, nor a suffix of nothing (RFC 9110, 14.1.2)",
  ["bytes=1000-", 1000, "unsatisfiable"],
  ["bytes=1000-1001", 1000, "unsatisfiable"],
  ["bytes=-0", 1000, "unsatisfiable"],
  ["bytes=-0", 0, "unsatisfiable"],
);
table(
  "of an empty file: no first byte, but a suffix is all of it (RFC 9110, 14.1.2)",
  ["bytes=0-", 0, "unsatisfiable"],
  ["bytes=0-0", 0, "unsatisfiable"],
  ["bytes=-1", 0, undefined],
);
table(
  "ignores an inverted range (RFC 9110, 14.1.1)",
  ["bytes=5-4", 1000, undefined],
  ["bytes=2000-1999", 1000, undefined],
);
table(
  "ignores several ranges (RFC 9110, 14.2)",
  ["bytes=0-1,3-4", 1000, undefined],
  ["bytes=0-1, -5", 1000, undefined],
);
table(
  "ignores other units (RFC 9110, 14.1)",
  ["lines=0-1", 1000, undefined],
  ["none", 1000, undefined],
  ["bytes", 1000, undefined],
);
table("takes the unit in any case (RFC 9110, 14.1)", ["BYTES=0-1", 1000, bytes(0, 2)]);
table("allows white space around a range (RFC 9110, 5.6.1)", ["bytes= \t0-1 ", 9, bytes(0, 2)]);
table(
  "ignores what is not well-formed (RFC 9110, 14.2)",
  [undefined, 1000, undefined],
  ["", 1000, undefined],
  ["bytes=", 1000, undefined],
  ["bytes=-", 1000, undefined],
  ["bytes=1", 1000, undefined],
  ["bytes=a-b", 1000, undefined],
  ["bytes=--1", 1000, undefined],
  ["bytes=+1-2", 1000, undefined],
  ["bytes=1-2x", 1000, undefined],
  ["bytes 1-2", 1000, undefined],
  ["bytes=1 - 2", 1000, undefined],
  ["bytes=0x1-2", 1000, undefined],
  ["bytes=1.5-2", 1000, undefined],
);
table(
  "takes numbers beyond what a number holds (RFC 9110, 14.1.2)",
  [`bytes=0-${HUGE}`, 1000, bytes(0, 1000)],
  [`bytes=-${HUGE}`, 1000, bytes(0, 1000)],
  [`bytes=${HUGE}-`, 1000, "unsatisfiable"],
  [`bytes=${HUGE}-${HUGE}`, 1000, "unsatisfiable"],
  ["bytes=9007199254740992-9007199254740993", 1000, "unsatisfiable"],
  ["bytes=9007199254740000-", 2 ** 53 - 1, bytes(9007199254740000, 2 ** 53 - 1)],
);
