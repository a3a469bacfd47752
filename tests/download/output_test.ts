import { assert, assertEquals } from "@std/assert";
import { Buffers } from "../../src/download/buffers.ts";
import { Output } from "../../src/download/output.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { bytesOf, concat, pattern } from "../transport/tools.ts";

/** A file in memory, which counts how often it is read. */
function fileOf(bytes: Uint8Array, shortest = Infinity) {
  return {
    reads: 0,
    read(into: Uint8Array, position: number): Promise<number> {
      this.reads++;
      const part = bytes.subarray(position, position + Math.min(into.byteLength, shortest));
      into.set(part);
      return Promise.resolve(part.byteLength);
    },
    isUnchanged: () => Promise.resolve(true),
    opened: undefined as never, // It is not asked for.
  };
}

test("Output.read() gives the same bytes in whatever pieces it is read", () =>
  withSeeds([1, 2, 3], async ({ below }) => {
    for (let round = 0; round < 200; round++) {
      const content = pattern(2000, round);
      const head = bytesOf("h".repeat(1 + below(50)));
      const parts = Array.from({ length: below(5) }, (_, index) => {
        const offset = below(1500);
        return { head: bytesOf(`--${index}`.repeat(below(4))), offset, length: below(500) };
      });
      const whole = concat([
        head,
        ...parts.flatMap(({ head, offset, length }) => [
          head,
          content.subarray(offset, offset + length),
        ]),
      ]);
      const output = new Output(head, parts, fileOf(content, 1 + below(400)));
      assertEquals([output.headBytes, output.length], [head.byteLength, whole.byteLength]);
      for (let position = 0; position < whole.byteLength;) {
        const into = new Uint8Array(1 + below(700));
        const count = await output.read(into, position);
        assert(count >= 1 && count <= into.byteLength);
        assertEquals(into.subarray(0, count), whole.subarray(position, position + count));
        position += 1 + below(count); // As if the socket had taken only a part.
      }
      assertEquals(await output.read(new Uint8Array(1), whole.byteLength), 0);
    }
  }));

test("Output.read() reads the file once at most, and sees when it has become shorter", async () => {
  const file = fileOf(pattern(100));
  const parts = [0, 50].map((offset) => ({ head: bytesOf("-"), offset, length: 40 }));
  const output = new Output(bytesOf("head"), parts, file);
  assertEquals(await output.read(new Uint8Array(1000), 0), 46);
  assertEquals(file.reads, 1);
  assertEquals(await output.read(new Uint8Array(1000), 46), 40);
  const shorter = new Output(bytesOf("head"), parts, fileOf(pattern(20)));
  assertEquals(await shorter.read(new Uint8Array(1000), 0), 25);
  assertEquals(await shorter.read(new Uint8Array(1000), 25), 0);
});

test("Output.whole() is all of an answer in memory", () => {
  const parts = [{ head: bytesOf("body"), offset: 0, length: 0 }];
  assertEquals(new Output(bytesOf("head"), parts).whole(), bytesOf("headbody"));
});

test("Buffers lends what fits and keeps a bounded number", () => {
  const buffers = new Buffers();
  const sizes = [1, 65, 4096, 4097, 65_536, 65_537, 10 ** 9].map((size) => buffers.take(size));
  assertEquals(sizes.map(({ byteLength }) => byteLength), [
    64,
    4096,
    4096,
    16_384,
    65_536,
    262_144,
    262_144,
  ]);
  assertEquals(buffers.lentBytes, 64 + 2 * 4096 + 16_384 + 65_536 + 2 * 262_144);
  for (const buffer of sizes) buffers.giveBack(buffer);
  assertEquals(buffers.lentBytes, 0);
  assert(buffers.take(4096) === sizes[2] || buffers.take(4096) === sizes[1], "not used again");
  const many = Array.from({ length: 100 }, () => buffers.take(262_144));
  for (const buffer of many) buffers.giveBack(buffer);
  const again = new Set(Array.from({ length: 100 }, () => buffers.take(262_144)));
  assertEquals(many.filter((buffer) => again.has(buffer)).length, 16);
});
