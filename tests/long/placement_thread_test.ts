// Every test of downloads that can run so, with the manager in a thread. The suite runs some of them:
// tests/download/placement/.
import { ALL, runSuites } from "../download/placement/suites.ts";
import { runtime } from "../harness.ts";

if (runtime !== "node") await runSuites("thread", ALL);
