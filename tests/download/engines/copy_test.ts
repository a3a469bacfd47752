import { copyEngine } from "../../../src/core.ts";
import { testEngine } from "./suite.ts";

testEngine("copyEngine()", { make: copyEngine, report: { name: "copy" } });
