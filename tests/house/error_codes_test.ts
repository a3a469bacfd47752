// docs/errors.md names every code, and no other.
import { readFileSync } from "node:fs";
import { assertEquals } from "@std/assert";
import { test } from "../harness.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

test("docs/errors.md has a line for every error code", () => {
  const union = /export type ErrorCode =([^;]+);/.exec(read("src/transport/errors.ts"))![1]!;
  const codes = [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code]) => code!);
  const lines = [...read("docs/errors.md").matchAll(/^\| `([A-Z_]+)` /gm)].map(([, code]) => code!);
  assertEquals([...lines].sort(), [...codes].sort());
});

test("docs/errors.md has every reason of a failed connect", () => {
  const union = /export type FailureReason =([^;]+);/.exec(read("src/transport/errors.ts"))![1]!;
  const page = read("docs/errors.md");
  const missing = [...union.matchAll(/"([a-z-]+)"/g)].map(([, reason]) => reason!).filter((
    reason,
  ) => !page.includes(`\`${reason}\``));
  assertEquals(missing, []);
});
