// The table of cases.ts over the functions of src/http alone.
import { assert, assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { CASES } from "./cases.ts";
import { assertAnswers, filled, pathOf } from "./compare.ts";
import { serve, stateOf } from "./pure_server.ts";

for (const row of CASES) {
  test(`table: ${row.name} (${row.rfc})`, async () => {
    const request = filled(row.request, pathOf(row.request), stateOf);
    assertAnswers(row, await serve(request), stateOf);
  });
}

test("table: has 150 rows and more, each with its section and a name of its own", () => {
  assert(CASES.length >= 150, `${CASES.length} rows`);
  const names = CASES.map(({ name, rfc }) => `${name} (${rfc})`);
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
  for (const { rfc } of CASES) assert(/^RFC \d{4}, \d+(\.\d+)*$/.test(rfc), rfc);
});
