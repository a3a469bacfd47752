// The pages of docs/: each can be found from README.md, and each capability names its permissions.
import { assert, assertEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "../harness.ts";
import { readJson, TOP } from "./read_graph.ts";

/** Pages about something else than a capability. */
const OTHERS = [
  "benchmarks.md",
  "comparison.md",
  "errors.md",
  "from_generic_pool.md",
  "life_cycles.md",
  "versioning.md",
];

const read = (path: string) => readFileSync(new URL(path, TOP), "utf8");
const pages = readdirSync(new URL("docs/", TOP)).filter((name) => name.endsWith(".md"));

test("README.md links every page of docs/", () => {
  const readme = read("README.md");
  assertEquals(pages.filter((page) => !readme.includes(`(docs/${page})`)), []);
});

test("every page of a capability has a table with Deno's permissions", () => {
  const lacking = pages.filter((page) => !OTHERS.includes(page))
    .filter((page) => !/^\|.*--allow-/m.test(read(`docs/${page}`)));
  assertEquals(lacking, []);
});

test("links between the pages lead somewhere", () => {
  for (const page of ["README.md", "CONTRIBUTING.md", ...pages.map((name) => `docs/${name}`)]) {
    for (const [, target] of read(page).matchAll(/\]\((?!\w+:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      assert(existsSync(new URL(target!, new URL(page, TOP))), `${page} links ${target}`);
    }
  }
});

test("every task that a page names is there", () => {
  const tasks = new Set(Object.keys(readJson("deno.json").tasks as object));
  for (const page of ["README.md", "CONTRIBUTING.md", ...pages.map((name) => `docs/${name}`)]) {
    for (const [, task] of read(page).matchAll(/\bdeno(?:@[\d.]+)? task ([a-z][\w:]*)/g)) {
      assert(tasks.has(task!), `${page} names ${task}`);
    }
  }
});
