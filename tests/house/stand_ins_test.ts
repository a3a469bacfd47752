// The stand-ins must act as the real packages do; where JSR answers, the same tests meet those.
import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { getAvailablePort } from "@std/net";
import { createServer } from "node:net";
import { test } from "../harness.ts";

test("@std/assert passes what holds", () => {
  assert(1);
  assertFalse(0);
  assertEquals({ a: [1, new Map([["k", new Set([1])]])] }, {
    a: [1, new Map([["k", new Set([1])]])],
  });
  assertEquals(new Uint8Array([1, 2]), new Uint8Array([1, 2]));
  assertEquals(NaN, NaN);
  assertEquals(new Date(5), new Date(5));
  assertEquals(new Set([{ a: 1 }, { a: 2 }]), new Set([{ a: 2 }, { a: 1 }]));
  assertNotEquals<unknown>({ a: 1 }, { a: "1" });
  assertNotEquals<unknown>([1, 2], [1, 2, 3]);
  assertNotEquals<unknown>(new Uint8Array([1]), new Uint8Array([2]));
  assertNotEquals(new Map([["k", 1]]), new Map([["k", 2]]));
  assertNotEquals(new Error("a"), new Error("b"));
  assertStrictEquals("a", "a");
  assertExists(0);
  assertGreater(2, 1);
  assertGreaterOrEqual(2, 2);
  assertLess(1, 2);
  assertLessOrEqual(2, 2);
  assertAlmostEquals(0.1 + 0.2, 0.3);
  assertAlmostEquals(10, 11, 1);
  assertInstanceOf(new TypeError(), Error);
  assertMatch("abc", /b/);
  assertStringIncludes("abc", "bc");
  assertArrayIncludes([1, { a: 2 }, 3], [{ a: 2 }]);
});

test("@std/assert fails with an AssertionError that has the caller's words", () => {
  const failing: Record<string, () => void> = {
    assert: () => assert(0, "words"),
    assertAlmostEquals: () => assertAlmostEquals(1, 2, 0.5, "words"),
    assertArrayIncludes: () => assertArrayIncludes([1], [2], "words"),
    assertEquals: () => assertEquals([1], [2], "words"),
    assertExists: () => assertExists(null, "words"),
    assertFalse: () => assertFalse(1, "words"),
    assertGreater: () => assertGreater(1, 1, "words"),
    assertGreaterOrEqual: () => assertGreaterOrEqual(0, 1, "words"),
    assertInstanceOf: () => assertInstanceOf({}, Error, "words"),
    assertLess: () => assertLess(1, 1, "words"),
    assertLessOrEqual: () => assertLessOrEqual(2, 1, "words"),
    assertMatch: () => assertMatch("a", /b/, "words"),
    assertNotEquals: () => assertNotEquals([1], [1], "words"),
    assertStrictEquals: () => assertStrictEquals({}, {}, "words"),
    assertStringIncludes: () => assertStringIncludes("a", "b", "words"),
    assertThrows: () => void assertThrows(() => {}, "words"),
    fail: () => fail("words"),
  };
  for (const [name, broken] of Object.entries(failing)) {
    assertThrows(broken, AssertionError, "words", name);
  }
});

test("@std/assert assertThrows() returns the error, and checks class and message", () => {
  const error = assertThrows(
    () => {
      throw new TypeError("one two");
    },
    TypeError,
    "two",
  );
  assertEquals(error.message, "one two");
  assertThrows(() => assertThrows(() => JSON.parse("{"), RangeError), AssertionError);
  assertThrows(() => assertThrows(() => JSON.parse("{"), SyntaxError, "no such"), AssertionError);
});

test("@std/assert assertRejects() returns the error, and checks class and message", async () => {
  const error = await assertRejects(
    () => Promise.reject(new TypeError("one two")),
    TypeError,
    "one",
  );
  assertEquals(error.message, "one two");
  assertEquals(await assertRejects(() => Promise.reject(5)), 5);
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
  await assertRejects(() => assertRejects(() => Promise.reject(5), Error), AssertionError);
  await assertRejects(
    () =>
      assertRejects(() => {
        throw new Error("not a promise");
      }),
    AssertionError,
  );
});

test("@std/net getAvailablePort() gives a port that can be listened on", async () => {
  const free = getAvailablePort();
  assertEquals(getAvailablePort({ preferredPort: free }), free);
  assertEquals(await listenAndClose(free), free);
});

function listenAndClose(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject).listen(port, "127.0.0.1", () => {
      server.close(() => resolve(port));
    });
  });
}
