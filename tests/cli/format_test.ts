import { assert, assertEquals } from "@std/assert";
import { fit, formatBytes, progressLine } from "../../src/cli/format.ts";
import { test } from "../harness.ts";

test("formatBytes() writes bytes for people", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [2 ** 20 - 1, "1.0 MiB"],
    [2 ** 20, "1.0 MiB"],
    [2 ** 30 * 2.5, "2.5 GiB"],
    [2 ** 40 * 5000, "5000.0 TiB"],
  ];
  for (const [bytes, text] of cases) assertEquals(formatBytes(bytes), text);
});

test("progressLine() is never wider than the terminal", () => {
  const totals = [undefined, 0, 1, 1000, 2 ** 20, 2 ** 45];
  for (let columns = -2; columns <= 250; columns++) {
    for (const total of totals) {
      for (const share of [0, 0.001, 0.5, 0.999, 1, 1.5]) {
        for (const rate of [0, 0.001, 1, 1e6, 1e13]) {
          const line = progressLine(share * (total ?? 12_345), total, rate, columns);
          assert(line.length <= Math.max(0, columns), `${line.length} > ${columns}: ${line}`);
          assertEquals(line.includes("\n"), false);
        }
      }
    }
  }
});

test("progressLine() shows share, bytes and rate, and a bar where there is room", () => {
  assertEquals(
    progressLine(2 ** 20, 2 ** 22, 2 ** 19, 80),
    "[########......................]  25 %  1.0 MiB of 4.0 MiB  512.0 KiB/s",
  );
  assertEquals(
    progressLine(2 ** 20, 2 ** 22, 2 ** 19, 42),
    " 25 %  1.0 MiB of 4.0 MiB  512.0 KiB/s",
  );
  assertEquals(
    progressLine(2 ** 20, 2 ** 22, 2 ** 19, 37),
    "[##.......]  25 %  1.0 MiB of 4.0 MiB",
  );
  assertEquals(progressLine(2 ** 20, 2 ** 22, 2 ** 19, 24), "[####............]  25 %");
  assertEquals(progressLine(2 ** 20, undefined, 2 ** 19, 80), "1.0 MiB  512.0 KiB/s");
  assert(progressLine(0, 0, 0, 80).includes("100 %"));
  assert(progressLine(2 ** 22 - 1, 2 ** 22, 1, 80).includes(" 99 %"), "100 % is for the end");
});

test("fit() leaves out what does not fit, and cuts no number", () => {
  const parts = ["abc", "  12.5 MiB", "  3 s"];
  assertEquals(fit(parts, 18), "abc  12.5 MiB  3 s");
  assertEquals(fit(parts, 17), "abc  12.5 MiB");
  assertEquals(fit(parts, 12), "abc");
  assertEquals(fit(parts, 2), "ab");
  assertEquals([fit(parts, 0), fit(parts, -1), fit([], 5)], ["", "", ""]);
});
