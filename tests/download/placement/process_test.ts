import { runSuites } from "./suites.ts";

await runSuites("process");
