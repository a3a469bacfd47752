import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  emptyFrame,
  HEADER_BYTES,
  readFrame,
  writeFrame,
} from "../../../src/parallel/striped/frame.ts";
import {
  decodeHello,
  decodeWelcome,
  encodeHello,
  encodeWelcome,
  sameKey,
} from "../../../src/parallel/striped/hello.ts";
import { test } from "../../harness.ts";

const number = fc.maxSafeNat();
const headers = fc.record({
  flags: fc.integer({ min: 0, max: 31 }),
  length: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  offset: number,
  acknowledged: number,
  limit: number,
  arrived: number,
});

test("readFrame() reads what writeFrame() has written", () => {
  fc.assert(fc.property(headers, fc.nat(20), (header, at) => {
    const view = new DataView(new ArrayBuffer(HEADER_BYTES + 20));
    writeFrame(view, at, header);
    const frame = emptyFrame();
    assertEquals(readFrame(view, at, frame), undefined);
    assertEquals(frame, header);
  }));
});

test("writeFrame() writes the bytes that docs/striped.md names", () => {
  const bytes = new Uint8Array(HEADER_BYTES);
  const header = { flags: 1, length: 2, offset: 2 ** 33, acknowledged: 3, limit: 4, arrived: 5 };
  writeFrame(new DataView(bytes.buffer), 0, header);
  const numbers = [[0, 0, 0, 2, 0, 0, 0, 0], ...[3, 4, 5].map((low) => [0, 0, 0, 0, 0, 0, 0, low])];
  assertEquals([...bytes], [1, 0, 0, 0, 0, 0, 0, 2, ...numbers.flat()]);
});

test("readFrame() says what is wrong with a header", () => {
  const wrong = (at: number, value: number): string | undefined => {
    const view = new DataView(new ArrayBuffer(HEADER_BYTES));
    view.setUint8(at, value);
    return readFrame(view, 0, emptyFrame());
  };
  assertEquals(wrong(0, 32), "it has unknown flags (32)");
  for (const at of [1, 2, 3]) assertEquals(wrong(at, 1), "its reserved bytes are not 0");
  for (const at of [8, 16, 24, 32]) {
    assertEquals(wrong(at, 1), "a number of it is beyond 2 to the 53rd");
    assertEquals(wrong(at + 1, 0x1f), undefined);
    assertEquals(wrong(at + 1, 0x20), "a number of it is beyond 2 to the 53rd");
  }
});

test("decodeHello() and decodeWelcome() read what was encoded, and say what is wrong", () => {
  const id = new Uint8Array(16).fill(1);
  const key = new Uint8Array(32).fill(2);
  for (const purpose of ["open", "join"] as const) {
    const hello = { purpose, unitBytes: 4096, id, key };
    const bytes = encodeHello(hello);
    assertEquals([bytes.byteLength, decodeHello(bytes)], [64, hello]);
    assertEquals([...bytes.subarray(0, 5)], [0x4a, 0x46, 0x53, 0x54, 1]);
  }
  for (const outcome of ["stands", "done", "reset"] as const) {
    const welcome = { outcome, unitBytes: 1024 };
    assertEquals(decodeWelcome(encodeWelcome(welcome)), welcome);
  }
  const faults: [at: number, value: number, words: string][] = [
    [0, 0, "it does not begin with JFST"],
    [4, 2, "it speaks version 2, expected 1"],
    [5, 9, "its word 9 is unknown"],
    [7, 1, "its reserved bytes are not 0"],
    [15, 1, "its reserved bytes are not 0"],
    [8, 1, "its units of 16781312 bytes are not of 1024 to 1048576"],
  ];
  for (const [at, value, words] of faults) {
    const hello = encodeHello({ purpose: "open", unitBytes: 4096, id, key });
    const welcome = encodeWelcome({ outcome: "stands", unitBytes: 4096 });
    hello[at] = welcome[at] = value;
    assertEquals([decodeHello(hello), decodeWelcome(welcome)], [words, words]);
  }
});

test("sameKey() finds a difference in every byte", () => {
  const key = Uint8Array.from({ length: 32 }, (_, at) => at);
  assert(sameKey(key, key.slice()));
  for (let at = 0; at < 32; at++) {
    const other = key.slice();
    other[at]! ^= 0x80;
    assert(!sameKey(key, other), `byte ${at}`);
  }
  assert(!sameKey(key, key.subarray(1)));
});
