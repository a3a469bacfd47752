import { realCases } from "./real_cases.ts";

realCases("process", false);
