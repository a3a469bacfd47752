// Every test of downloads that can run so, with the manager in a process. The suite runs some of
// them: tests/download/placement/.
import { ALL, runSuites } from "../download/placement/suites.ts";

await runSuites("process", ALL);
