import { assertEquals, assertStringIncludes } from "@std/assert";
import { sendfileEngine } from "../../../src/native/mod.ts";
import { runtime, test } from "../../harness.ts";
import { testEngine } from "./suite.ts";

// Opens the C library, which stays open, before a test is watched for what it leaves.
const { name, reason } = sendfileEngine();

for (const mode of ["main", "hybrid", "accept"] as const) {
  testEngine(`sendfileEngine({ mode: ${mode} })`, {
    make: () => sendfileEngine({ mode }),
    report: { name: "sendfile", mode },
    skip: name === "copy" && reason!,
    isElsewhere: mode === "accept",
  });
}

test("sendfileEngine() is the one that copies in Node, and says why", {
  skip: runtime !== "node" && "it can be",
}, () => {
  assertEquals(name, "copy");
  assertStringIncludes(reason!, "foreign functions");
});
