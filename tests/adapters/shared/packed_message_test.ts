import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { pack, unpack } from "../../../src/adapters/shared/packed_message.ts";
import { test } from "../../harness.ts";

/** What a channel of node:child_process makes of it. */
const overJson = (value: unknown): unknown =>
  unpack(JSON.parse(JSON.stringify(pack(value))) as never);

test("pack() keeps every value that can be cloned, through JSON", () => {
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
  });
  fc.assert(
    fc.property(fc.oneof(value, fc.array(value)), (message) => {
      let clone: unknown;
      try {
        clone = structuredClone(message);
      } catch {
        return;
      }
      assertEquals(overJson(message), clone);
    }),
    { numRuns: 300 },
  );
});

test("pack() leaves flat elements as they are, and clones only the rest", () => {
  assertEquals(pack(["adopted", 7, true]), ["adopted", 7, true]);
  const [kind, bytes] = pack(["bytes", new Uint8Array([1, 2])]) as readonly unknown[];
  assertEquals([kind, Array.isArray(bytes)], ["bytes", true]);
  assertEquals(overJson([1, undefined, null, [2]]), [1, undefined, null, [2]]);
  assertEquals(overJson([new Uint8Array([1, 2])]), [new Uint8Array([1, 2])]);
  for (const odd of [-0, NaN, Infinity]) assertEquals(overJson([odd]), [odd]);
});

test("pack() throws for what cannot be cloned", () => {
  assertThrows(() => pack({ data: () => {} }));
});
