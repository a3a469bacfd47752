// The many cases stand in cases/conditions.ts; here is what a server of files cannot show.
import { assertEquals } from "@std/assert";
import { evaluateConditions, rangeCounts, type Validators } from "../../src/core.ts";
import { test } from "../harness.ts";

const MS = Date.UTC(2023, 10, 14, 22, 13, 20);
const DATE = "Tue, 14 Nov 2023 22:13:20 GMT";
const FILE: Validators = { entityTag: '"a"', modifiedMs: MS };

const evaluate = (method: string, fields: Record<string, string>, file: Validators = FILE) =>
  evaluateConditions({ method, fields: new Map(Object.entries(fields)) }, file);
const counts = (fields: Record<string, string>, file: Validators = FILE, method = "GET") =>
  rangeCounts({ method, fields: new Map(Object.entries(fields)) }, file);

test("evaluateConditions() answers 412 where 304 is for GET and HEAD alone (RFC 9110, 13.1.2)", () => {
  const fields = { "if-none-match": '"a"' };
  assertEquals(evaluate("GET", fields), 304);
  assertEquals(evaluate("HEAD", fields), 304);
  assertEquals(evaluate("PUT", fields), 412);
  assertEquals(evaluate("PUT", { "if-none-match": "*" }), 412);
});

test("evaluateConditions() takes If-Modified-Since for GET and HEAD alone (RFC 9110, 13.1.3)", () => {
  const fields = { "if-modified-since": DATE };
  assertEquals(evaluate("HEAD", fields), 304);
  assertEquals(evaluate("PUT", fields), "proceed");
});

test("evaluateConditions() of a file without a tag (RFC 9110, 13.1.1 and 13.1.2)", () => {
  const file = { modifiedMs: MS };
  assertEquals(evaluate("GET", { "if-match": '"a"' }, file), 412);
  assertEquals(evaluate("GET", { "if-match": "*" }, file), "proceed");
  assertEquals(evaluate("GET", { "if-none-match": '"a"' }, file), "proceed");
  assertEquals(evaluate("GET", { "if-none-match": "*" }, file), 304);
});

test("evaluateConditions() of a file without a date takes no date (RFC 9110, 13.1.3 and 13.1.4)", () => {
  const file = { entityTag: '"a"' };
  assertEquals(evaluate("GET", { "if-modified-since": DATE }, file), "proceed");
  assertEquals(
    evaluate("GET", { "if-unmodified-since": "Tue, 14 Nov 2000 22:13:20 GMT" }, file),
    "proceed",
  );
});

test("evaluateConditions() understands two digits of a year from `nowMs` (RFC 9110, 5.6.7)", () => {
  const fields = new Map([["if-modified-since", "Tuesday, 14-Nov-70 22:13:20 GMT"]]);
  const at = (year: number) =>
    evaluateConditions({ method: "GET", fields }, FILE, Date.UTC(year, 0));
  assertEquals(at(2019), "proceed"); // 1970
  assertEquals(at(2020), 304); // 2070
});

test("rangeCounts() for GET alone (RFC 9110, 14.2)", () => {
  assertEquals(counts({}), true);
  assertEquals(counts({}, FILE, "HEAD"), false);
  assertEquals(counts({ "if-range": '"a"' }, FILE, "HEAD"), false);
});

test("rangeCounts() takes strong validators only (RFC 9110, 13.1.5)", () => {
  const weak = { entityTag: 'W/"a"', modifiedMs: MS };
  assertEquals(counts({ "if-range": '"a"' }), true);
  assertEquals(counts({ "if-range": '"a"' }, weak), false);
  assertEquals(counts({ "if-range": 'W/"a"' }, weak), false);
  assertEquals(counts({ "if-range": DATE }), true);
  assertEquals(counts({ "if-range": DATE }, weak), false);
  assertEquals(counts({ "if-range": DATE }, { modifiedMs: MS + 999 }), true);
  assertEquals(counts({ "if-range": DATE }, { modifiedMs: MS + 1000 }), false);
  assertEquals(counts({ "if-range": DATE }, { entityTag: '"a"' }), false);
  assertEquals(counts({ "if-range": '"a"' }, { modifiedMs: MS }), false);
});
