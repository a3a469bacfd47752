import { assertEquals } from "@std/assert";
import process from "node:process";
import { environmentVariable } from "../../../src/adapters/shared/environment_variable.ts";
import { test } from "../../harness.ts";

test("environmentVariable() reads what is there, now", () => {
  const name = "JACKFIELD_TEST_VARIABLE";
  assertEquals(environmentVariable(name), undefined);
  process.env[name] = "17";
  try {
    assertEquals(environmentVariable(name), "17");
  } finally {
    delete process.env[name];
  }
  assertEquals(environmentVariable(name), undefined);
});
