import { runtime, test } from "../../harness.ts";
import { runSuites } from "./suites.ts";

if (runtime !== "node") await runSuites("thread");
else {
  const skip = "no live socket moves to a thread in Node";
  test("a manager in a thread passes the tests of downloads", { skip }, () => {});
}
