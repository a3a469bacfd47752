// Most cases stand in cases/content.ts; here is what two codings cannot show.
import { assert, assertEquals } from "@std/assert";
import { chooseCoding } from "../../src/core.ts";
import { test } from "../harness.ts";
import { startCpuTime } from "../support/cpu_time.ts";

test("chooseCoding() takes the first of equal weight, whatever the client's order (RFC 9110, 12.5.3)", () => {
  const available = ["zstd", "br", "gzip"];
  assertEquals(chooseCoding("gzip, br, zstd", available), "zstd");
  assertEquals(chooseCoding("gzip;q=0.5, br;q=0.5, zstd;q=0.4", available), "br");
  assertEquals(chooseCoding("gzip, identity", available), "gzip");
  assertEquals(chooseCoding("*", available), "zstd");
});

test("chooseCoding() has nothing but the file itself where there is nothing else (RFC 9110, 12.5.3)", () => {
  for (const field of [undefined, "", "gzip", "gzip, br;q=0.5", "*", "*;q=0.5", "identity;q=0.1"]) {
    assertEquals(chooseCoding(field, []), "identity", field);
  }
  for (const field of ["*;q=0", "identity;q=0", "gzip, identity;q=0.0", "gzip;q=1,*;q=0.000"]) {
    assertEquals(chooseCoding(field, []), undefined, field);
  }
});

test("chooseCoding() prefers what is named to what is not (RFC 9110, 12.5.3)", () => {
  assertEquals(chooseCoding("gzip;q=0.001", ["gzip"]), "gzip");
  assertEquals(chooseCoding("gzip;q=0.001, *;q=0.002", ["gzip"]), "identity");
  assertEquals(chooseCoding("identity;q=0.5, *;q=0.6", ["gzip"]), "gzip");
});

test("chooseCoding() reads any text in no time", () => {
  const spentMs = startCpuTime();
  for (const text of [" ", ",", ";", "a", "a;", ";q=", "gzip\t", "*;q=0,"]) {
    chooseCoding(`gzip${text.repeat(16_000 / text.length)}x`, ["gzip"]);
  }
  const ms = spentMs();
  assert(ms < 500, `took ${ms} ms`);
});
