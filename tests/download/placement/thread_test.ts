import { runtime } from "../../harness.ts";
import { runSuites } from "./suites.ts";

// A connection cannot be duplicated in Node: see placement_test.ts.
if (runtime !== "node") await runSuites("thread");
