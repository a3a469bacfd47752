import { assert, assertArrayIncludes, assertEquals, assertExists } from "@std/assert";
import { existsSync, readFileSync } from "node:fs";
import { test } from "../harness.ts";
import { BUN, DENO, NODE } from "../support/tools.ts";
import { readJson, TOP } from "./read_graph.ts";

const denoJson = readJson("deno.json");
const packageJson = readJson("package.json");

function readText(file: string): string {
  return readFileSync(new URL(file, TOP), "utf8");
}

/** `./src/core.ts` as tsc writes it: `./dist/src/core.js`. */
function built(entry: string, extension: string): string {
  return entry.replace("./", "./dist/").replace(/\.ts$/, extension);
}

test("versions: deno.json and package.json agree on name, version and license", () => {
  for (const field of ["name", "version", "license"]) {
    assertExists(denoJson[field]);
    assertEquals(packageJson[field], denoJson[field], field);
  }
});

test("versions: deno.json and package.json offer the same entries", () => {
  const entries = denoJson.exports as Record<string, string>;
  const conditions = packageJson.exports as Record<string, unknown>;
  const expected = Object.entries(entries).map(([path, file]) => [
    path,
    { types: built(file, ".d.ts"), default: built(file, ".js") },
  ]);
  assertEquals(conditions, {
    ...Object.fromEntries(expected),
    "./package.json": "./package.json",
  });
  assertEquals(packageJson.bin, { jackfield: built(entries["./cli"]!, ".js") });
});

test("versions: every entry is among the documents that `deno task doc` checks", () => {
  const words = (denoJson.tasks as Record<string, string>).doc!.split(" ");
  const files = Object.values(denoJson.exports as Record<string, string>);
  assertArrayIncludes(words, files.map((file) => file.replace("./", "")));
});

test("versions: the libraries of deno.json and package.json satisfy one another", () => {
  const imports = denoJson.imports as Record<string, string>;
  const listed = {
    ...packageJson.dependencies as Record<string, string>,
    ...packageJson.devDependencies as Record<string, string>,
  };
  for (const [name, specifier] of Object.entries(imports)) {
    const range = listed[name];
    assertExists(range, `package.json lists ${name}`);
    if (!specifier.startsWith("npm:")) continue;
    assertEquals(specifier, `npm:${name}@^${range.replace("^", "").split(".")[0]}`);
  }
});

test("versions: every mention of a tool names the pinned version", () => {
  const pins = [DENO, BUN, NODE];
  const files = ["deno.json", "package.json", "README.md", "CONTRIBUTING.md", ".ci/run"];
  const workflows = [".github/workflows/ci.yml", ".github/workflows/publish.yml"];
  for (const file of [...files, ...workflows]) {
    if (!existsSync(new URL(file, TOP))) continue;
    for (const [mention] of readText(file).matchAll(/\b(?:deno|bun|node)@\d+[\w.-]*/g)) {
      assert(pins.includes(mention), `${file} says ${mention}, the pins are ${pins.join(", ")}`);
    }
  }
});

test("versions: CHANGELOG.md has an entry for this version or an unreleased one", () => {
  const version = String(denoJson.version).replaceAll(".", "\\.");
  const heading = new RegExp(`^## \\[?(?:${version}|Unreleased)\\]?(?:\\s|$)`, "m");
  assert(heading.test(readText("CHANGELOG.md")), `CHANGELOG.md has no ${denoJson.version}`);
});
