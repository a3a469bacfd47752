// Every test of downloads that can run so, with the manager in a thread. The suite runs some of them:
// tests/download/placement/.
import { ALL, runSuites } from "../download/placement/suites.ts";
import { runtime, test } from "../harness.ts";

if (runtime !== "node") await runSuites("thread", ALL);
else {
  const skip = "no live socket moves to a thread in Node";
  test("a manager in a thread passes all tests of downloads", { skip }, () => {});
}
