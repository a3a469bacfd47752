import { lendCases } from "./lend_cases.ts";

lendCases("process", false);
