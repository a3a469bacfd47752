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
    fc.property(fc.oneof(value, fc.dictionary(fc.string(), value)), (message) => {
      let clone: unknown;
      try {
        clone = structuredClone(message);
      } catch {
        return;
      }
      // A field that is undefined may be left out.
      const clean = (given: unknown): unknown =>
        typeof given === "object" && given !== null &&
          Object.getPrototypeOf(given) === Object.prototype
          ? Object.fromEntries(Object.entries(given).filter(([, field]) => field !== undefined))
          : given;
      assertEquals(clean(overJson(message)), clean(clone));
    }),
    { numRuns: 300 },
  );
});

test("pack() leaves flat messages as they are, and clones only the rest", () => {
  assertEquals(pack({ kind: "adopted", id: 7 }), { kind: "adopted", id: 7 });
  const [flat, clones] = pack({ id: 1, bytes: new Uint8Array([1, 2]) }) as [unknown, object];
  assertEquals([flat, Object.keys(clones)], [{ id: 1 }, ["bytes"]]);
  assertEquals(overJson({ id: 1, bytes: new Uint8Array([1, 2]) }), {
    id: 1,
    bytes: new Uint8Array([1, 2]),
  });
  for (const odd of [-0, NaN, Infinity]) assertEquals(overJson({ odd }), { odd });
});

test("pack() throws for what cannot be cloned", () => {
  assertThrows(() => pack({ data: () => {} }));
});
