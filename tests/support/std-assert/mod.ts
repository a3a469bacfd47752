// Local stand-in for the part of @std/assert 1.x that the tests use, for places where JSR is out
// of reach. Same names and signatures, so the tests run with the real package as well.
export { AssertionError } from "./assertion_error.ts";
export { equal } from "./equal.ts";
export {
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertStringIncludes,
} from "./values.ts";
export { assert, assertFalse, fail } from "./basics.ts";
export { assertRejects, assertThrows } from "./errors.ts";
