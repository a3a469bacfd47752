// What the registries look for, as far as it can be seen from here. JSR also counts documented
// symbols and slow types: `deno doc --lint` and `deno publish --dry-run` fail on each of these.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readFileSync } from "node:fs";
import { test } from "../harness.ts";
import { readJson, TOP } from "./read_graph.ts";

const read = (path: string) => readFileSync(new URL(path, TOP), "utf8");

test("every entry begins with what it is for", () => {
  for (const file of Object.values(readJson("deno.json").exports as Record<string, string>)) {
    const [comment = ""] = /\/\*\*[\s\S]*?\*\//.exec(read(file)) ?? [];
    assertStringIncludes(comment, "@module", file);
    assert(comment.length > 60, `${file} says nothing`);
  }
});

test("the main entry has an example, and the package a description for both registries", () => {
  assertMatch(read("mod.ts"), /@example[\s\S]*@module/);
  const { description, keywords } = readJson("package.json");
  assertMatch(String(description), /^.{20,250}$/);
  for (const runtime of ["deno", "bun", "node"]) {
    assert((keywords as string[]).includes(runtime), runtime);
  }
});

test("the workflow that publishes asks for provenance, and says that it was not run", () => {
  const workflow = read(".github/workflows/publish.yml");
  assertMatch(workflow, /^# Not run yet/);
  assertMatch(workflow, /^ +id-token: write/m);
  assertMatch(workflow, /npm@\d+ publish --provenance/);
  assertEquals(workflow.includes("--no-provenance"), false);
});
