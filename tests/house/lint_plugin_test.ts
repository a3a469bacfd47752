import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { runtime, test } from "../harness.ts";
import plugin, { type Plugin } from "./lint_plugin.ts";
import { listSources, TOP } from "./read_graph.ts";

interface DenoLint {
  lint: {
    runPlugin(plugin: Plugin, file: string, source: string): { id: string; message: string }[];
  };
}

const options = { skip: runtime === "deno" ? false : "deno lint is Deno's" } as const;

/** What the rules say about a source: `rule: first word`. */
function findings(file: string, source: string): string[] {
  const { Deno: deno } = globalThis as unknown as { Deno: DenoLint };
  return deno.lint.runPlugin(plugin, file, source)
    .map(({ id, message }) => id === "house/no-using" ? "using" : message.split(" ")[0]!);
}

test("lint: every file of mod.ts, src/, tests/ and bench/ keeps the rules", options, () => {
  const files = ["mod.ts", ...listSources("src"), ...listSources("tests"), ...listSources("bench")];
  const found = files.flatMap((file) =>
    findings(file, readFileSync(new URL(file, TOP), "utf8")).map((what) => `${file}: ${what}`)
  );
  assertEquals(found, []);
});

test("lint: no-runtime-names reports free names and members of globalThis", options, () => {
  const planted = [
    ["Deno.listen({ port: 0 });", "Deno"],
    ["const port = Bun.listen;", "Bun"],
    ["const now = process.hrtime();", "process"],
    ["export const empty = Buffer.alloc(0);", "Buffer"],
    ["const known = { Deno };", "Deno"],
    ["const sort = typeof process === 'undefined';", "process"],
    ["type Conn = Deno.Conn;", "Deno"],
    ["function take(bytes: Buffer): void {}", "Buffer"],
    ["const file = globalThis.Deno;", "Deno"],
    ["const file = globalThis?.process;", "process"],
    ["const file = globalThis['Bun'];", "Bun"],
    ["const bun = (globalThis as unknown as { Bun: object }).Bun;", "Bun"],
    ["const { Deno: deno } = globalThis as unknown as { Deno: object };", "Deno"],
    ["const there = 'Bun' in globalThis;", "Bun"],
    ["{ const process = 1; } process.exit();", "process"],
    ["export { Buffer };", "Buffer"],
  ] as const;
  for (const [source, expected] of planted) {
    assertEquals(findings("src/pool/planted.ts", source), [expected], source);
    assertEquals(findings("mod.ts", source), [expected], source);
    for (
      const file of ["src/adapters/deno/x.ts", "src/native/x.ts", "src/cli/x.ts", "tests/x.ts"]
    ) {
      assertEquals(findings(file, source), [], source);
    }
  }
});

test("lint: no-runtime-names allows members, prose and a file's own names", options, () => {
  const harmless = [
    "// Deno and Bun are free in prose\nconst text = 'process';",
    "const rule = { Deno: 1, process: 2 }; rule.Deno; rule['process'];",
    "interface Global { Deno?: unknown; process(): void }",
    "class Job { process(): void {} Buffer = 1; }",
    "function run(process: () => void): void { process(); }",
    "const run = ({ process }: { process: () => void }) => process();",
    "import { process } from './steps.ts'; process();",
    "import { process as step } from './steps.ts'; step();",
    "export { process } from './steps.ts';",
    "function process(): void {} process();",
    "interface Buffer { size: number } const one: Buffer = { size: 1 };",
    "for (const process of [1]) console.log(process);",
    "type Step = (process: number) => void;",
  ];
  for (const source of harmless) {
    assertEquals(findings("src/pool/planted.ts", source), [], source);
  }
});

test("lint: no-using reports using declarations in src/, tests/ and bench/", options, () => {
  const one = "function f(): void { using a = b(); }";
  const two = "async function f(): Promise<void> { await using a = b(); }";
  for (const file of ["mod.ts", "src/pool/x.ts", "src/cli/x.ts", "tests/x.ts", "bench/x.ts"]) {
    assertEquals(findings(file, one), ["using"]);
    assertEquals(findings(file, two), ["using"]);
  }
  assertEquals(findings("examples/x.ts", one), []);
  assertEquals(findings("src/pool/x.ts", "const using = 1; let a = using;"), []);
});
