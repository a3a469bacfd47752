// Runs every TypeScript block of README.md and docs/ and every example in this runtime, and compares what they
// print with the comments behind their `console.log` lines.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { assert, assertEquals } from "@std/assert";
import { runtime, test } from "./harness.ts";

const top = new URL("../", import.meta.url);
const { exports: entries } = JSON.parse(readFileSync(new URL("deno.json", top), "utf8")) as {
  readonly exports: Readonly<Record<string, string>>;
};

/** What a user writes, with the files of this checkout in the place of the package's entries. */
function fromCheckout(code: string): string {
  return code.replaceAll(
    /"@jackfield\/jackfield(\/\w+)?"/g,
    (_, entry = "") => JSON.stringify(new URL(entries[`.${entry}`]!, top).href),
  ).replaceAll('"hono"', () => JSON.stringify(import.meta.resolve("hono")));
}

interface Block {
  readonly title: string;
  readonly code: string;
}

/** The blocks marked `ts`, each with the heading before it. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let title = "";
  for (const part of markdown.matchAll(/^#+ (.+)$|^```ts\n([\s\S]*?)^```$/gm)) {
    if (part[1] !== undefined) title = part[1];
    else blocks.push({ title, code: part[2]! });
  }
  return blocks;
}

/** What the comments say will be printed, one entry per `console.log` with a comment. */
function promisedBy(code: string): string[] {
  return [...code.matchAll(/^\s*console\.log\(.*\); \/\/ (.+)$/gm)].map((match) => match[1]!);
}

/** Import a file and collect what it prints. */
async function run(url: string): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...values: unknown[]) => lines.push(values.map(String).join(" "));
  try {
    await import(url);
  } finally {
    console.log = log;
  }
  return lines;
}

const docs = readdirSync(new URL("docs/", top))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
const pages = ["README.md", ...docs].flatMap((page) =>
  blocksOf(readFileSync(new URL(page, top), "utf8")).map((block) => ({ page, ...block }))
);

for (const { page, title, code } of pages) {
  // What calls the C library leaves it loaded.
  const sanitize = !/WorkerGroup|sendfileEngine/.test(code);
  test(`${page}: "${title}" runs and prints what it says`, { sanitize }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "jackfield-readme-"));
    try {
      const file = join(folder, "block.ts");
      const root = fileURLToPath(new URL("examples/files", top));
      writeFileSync(
        file,
        fromCheckout(code)
          .replaceAll('"./examples/files"', JSON.stringify(root))
          .replaceAll('"./examples/', `"${new URL("examples/", top).href}`),
      );
      const promised = promisedBy(code);
      assert(promised.length > 0, "the block promises nothing");
      assertEquals(await run(pathToFileURL(file).href), promised);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

const examples = new URL("examples/", top);
// What needs a server, or is a program of its own, has a test of its own that starts it: tests/examples/.
const elsewhere = ["redis_pool.ts", "redis_session.ts", "upgrade.ts"];
// An example of one runtime's own servers ends with its name; the one for node:http runs everywhere.
const others = ["deno", "bun"].filter((name) => name !== runtime).map((name) => `_${name}.ts`);
const alone = readdirSync(examples).filter((file) =>
  file.endsWith(".ts") && !elsewhere.includes(file) && !others.some((end) => file.endsWith(end))
);
for (const name of alone) {
  const sanitize = !name.startsWith("worker");
  test(`example ${name} runs and prints what it says`, { sanitize }, async () => {
    const code = readFileSync(new URL(name, examples), "utf8");
    const printed = await run(new URL(name, examples).href);
    const promised = promisedBy(code);
    assert(promised.length > 0, "the example promises nothing");
    assertEquals(printed.length, promised.length);
    for (const [index, line] of promised.entries()) {
      // An ellipsis stands for what differs from run to run; words before a colon are a label.
      const [start, end] = line.split("…") as [string, string?];
      const text = printed[index]!;
      assert(
        text === line || text.endsWith(`: ${line}`) ||
          (end !== undefined && text.startsWith(start) && text.endsWith(end)),
        `printed "${text}", promised "${line}"`,
      );
    }
  });
}
