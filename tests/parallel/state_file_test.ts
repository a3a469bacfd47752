import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  doneLine,
  readState,
  type StateHead,
  stateHeadLine,
  syncedLine,
} from "../../src/parallel/state_file.ts";
import { Intervals } from "../../src/parallel/intervals.ts";
import { test } from "../harness.ts";

const HEAD: StateHead = {
  url: "http://127.0.0.1/x",
  size: 1000,
  unitBytes: 100,
  validator: { kind: "tag", value: '"ü\\"' },
};

test("readState() reads what was written, and what of it has reached the disk", () => {
  const begin = stateHeadLine(HEAD) + doneLine(0, 100) + doneLine(300, 400);
  const text = begin + doneLine(100, 200) + syncedLine(begin.length) + doneLine(900, 1000);
  assertEquals(readState(text), {
    head: HEAD,
    done: [{ start: 0, end: 200 }, { start: 300, end: 400 }, { start: 900, end: 1000 }],
    synced: [{ start: 0, end: 100 }, { start: 300, end: 400 }],
  });
  assert(/^[\n -~]*$/.test(text), "offsets count bytes");
});

test("readState() believes nothing from the first broken line on, whatever is broken", () => {
  const lines = [stateHeadLine(HEAD), doneLine(0, 100), doneLine(100, 200), doneLine(200, 300)];
  const text = lines.join("");
  const change = fc.record({
    at: fc.nat(text.length - 1),
    octet: fc.integer({ min: 32, max: 126 }),
  });
  fc.assert(
    fc.property(change, ({ at, octet }) => {
      const broken = text.slice(0, at) + String.fromCharCode(octet) + text.slice(at + 1);
      const state = readState(broken);
      if (broken === text) return assertEquals(state?.done, [{ start: 0, end: 300 }]);
      let line = 0;
      for (let end = lines[0]!.length; end <= at; end += lines[++line]!.length);
      if (line === 0) return assertEquals(state, undefined);
      const believed = new Intervals();
      believed.add(0, (line - 1) * 100);
      assertEquals(state?.done, believed.list);
    }),
    { numRuns: 2000 },
  );
});

test("readState() takes a state that was cut off anywhere for what is left of it", () => {
  const lines = [stateHeadLine(HEAD), doneLine(0, 100), doneLine(100, 200), syncedLine(150)];
  const text = lines.join("");
  for (let length = 0; length <= text.length; length++) {
    const state = readState(text.slice(0, length));
    if (length < lines[0]!.length) assertEquals(state, undefined);
    else {
      const whole = length >= lines.slice(0, 3).join("").length
        ? 200
        : length >= lines.slice(0, 2).join("").length
        ? 100
        : 0;
      assertEquals(state?.done, whole === 0 ? [] : [{ start: 0, end: whole }]);
    }
  }
});

test("readState() refuses heads that are not its own, and parts outside of the file", () => {
  const bad: Partial<Record<keyof StateHead, unknown>>[] = [
    { url: 5 },
    { size: 0 },
    { size: 1.5 },
    { size: "1000" },
    { unitBytes: 0 },
    { validator: { kind: "other", value: "x" } },
    { validator: { kind: "tag", value: 5 } },
  ];
  for (const change of bad) {
    assertEquals(readState(stateHeadLine({ ...HEAD, ...change } as StateHead)), undefined);
  }
  for (const text of ["", "\n", "x\n", "null 12345678\n", "\0".repeat(100)]) {
    assertEquals(readState(text), undefined);
  }
  for (const line of [doneLine(900, 1001), doneLine(5, 5), doneLine(9, 5)]) {
    assertEquals(readState(stateHeadLine(HEAD) + line)?.done, []);
  }
});
