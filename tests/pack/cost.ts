// What the package costs who takes it: bytes in a bundle, and processor time at the start.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** A bundle of `SocketPool` alone may have so many bytes; the README says how many it has. */
const MAX_BUNDLE_BYTES = 46_000;
/**
 * To import `.` may cost so many times the processor time of an empty program: about twice what it
 * does cost, as a busy machine makes both dearer, and not alike.
 */
const MAX_IMPORT_RATIO = { deno: 8, bun: 40, node: 16 } as const;
/** An odd number: the middle one counts. */
const ROUNDS = 9;

/** Bundle `SocketPool` from an installed package, and hold the size. */
export function checkBundle(folder: string, name: string, bun: readonly string[]): void {
  writeFileSync(join(folder, "only_pool.ts"), `export { SocketPool } from "${name}/core";\n`);
  const options = ["--minify", "--target=node", "--outfile=only_pool.js"];
  start(folder, [...bun, "build", "only_pool.ts", ...options]);
  const bytes = readFileSync(join(folder, "only_pool.js"));
  const figures = `${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} with gzip`;
  console.log(`# SocketPool alone, minified: ${figures}`);
  if (bytes.length > MAX_BUNDLE_BYTES) {
    throw new Error(`Cannot bundle SocketPool in ${MAX_BUNDLE_BYTES} bytes: it takes ${figures}`);
  }
}

/** Import `.` in fresh processes, in turn with an empty program, and hold what that costs. */
export function checkImport(
  folder: string,
  name: string,
  runtime: keyof typeof MAX_IMPORT_RATIO,
  command: readonly string[],
): void {
  const say = `import process from "node:process";\n` +
    `const { user, system } = process.cpuUsage();\nconsole.log((user + system) / 1000);\n`;
  writeFileSync(join(folder, "empty.mjs"), say);
  writeFileSync(join(folder, "import.mjs"), `import "${name}";\n${say}`);
  const read = (file: string) => Number(start(folder, [...command, file]));
  read("import.mjs"); // fills the runtime's caches
  const rounds = Array.from({ length: ROUNDS }, () => [read("empty.mjs"), read("import.mjs")]);
  const [empty, full] = [0, 1].map((column) => middle(rounds.map((row) => row[column]!)));
  const figures = `${full!.toFixed(0)} ms of processor time, an empty program ${empty!.toFixed(0)}`;
  console.log(`# import "." in ${runtime}: ${figures}`);
  const most = MAX_IMPORT_RATIO[runtime];
  if (full! > most * empty!) {
    throw new Error(`Cannot import within ${most} times an empty program: ${figures}`);
  }
}

function start(cwd: string, [command, ...args]: readonly string[]): string {
  const options = { cwd, encoding: "utf8", timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(command!, args, options);
  if (status === 0) return stdout;
  throw new Error(`Cannot run ${command} ${args.join(" ")}: status ${status}\n${stderr}`);
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
