// The table: what a server of files answers, row by row, with the section that says so. It is data;
// cases_test.ts runs it over the functions of src/http.
import type { Case } from "./cases/case.ts";
import { CONDITION_CASES } from "./cases/conditions.ts";
import { CONTENT_CASES } from "./cases/content.ts";
import { HEAD_CASES } from "./cases/heads.ts";
import { RANGE_CASES } from "./cases/ranges.ts";

export {
  type Case,
  type CaseFile,
  CODINGS,
  contentOf,
  type ExpectedAnswer,
  FILES,
} from "./cases/case.ts";

/** Every row. */
export const CASES: readonly Case[] = [
  ...HEAD_CASES,
  ...RANGE_CASES,
  ...CONDITION_CASES,
  ...CONTENT_CASES,
];
