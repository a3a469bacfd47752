// Packs the library, installs the tarball into fresh projects outside the checkout, and has Deno,
// Bun and Node each open a socket with it and run the README's examples, in their oldest versions,
// too. Also: the types, for a strict tsc and for Deno; `require`; the program; the sources as JSR
// offers them; and what the package costs (cost.ts).
//
//   deno run -A tests/pack/install_check.ts
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bunCommand, denoCommand, nodeCommand } from "../support/tools.ts";
import { echo, everyEntry, placed, required, STRICT_CONFIG } from "./consumer.ts";
import { checkBundle, checkImport } from "./cost.ts";
import { importByName, type ProjectFile, readExamples } from "./readme_examples.ts";

const TOP = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const LIMIT_MS = 120_000;
const { name, version, exports, engines } = readJson("package.json");
const { exports: entries, publish } = readJson("deno.json");

const examples = readExamples(readText("README.md"));
const names = examples.map(([path]) => path);

const work = mkdtempSync(join(tmpdir(), "jackfield-install-"));
try {
  check();
  console.log(`installed ${name} ${version} in Deno, Bun and Node`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function check(): void {
  if (examples.length === 0) throw new Error("Cannot find an example in README.md");
  run(TOP, ["npm", "pack", "--silent", "--pack-destination", work]);
  const tarball = readdirSync(work).find((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("Cannot pack: npm left no tarball");
  const packed = join(work, tarball);

  const node = project("node");
  npmInstall(node, packed);
  const [nodeProgram] = direct(nodeCommand());
  const inNode = [nodeProgram!, "--disable-warning=ExperimentalWarning"];
  runAll(node, inNode);
  expect(run(node, [...inNode, "require.cjs"]), "require ok");
  expect(
    run(node, [...inNode, "node_modules/.bin/jackfield", "--version"]),
    `jackfield ${version}`,
  );
  const tsc = join(TOP, "node_modules", ".bin", "tsc");
  // Only here: Deno would read it, too.
  writeFileSync(join(node, "tsconfig.json"), JSON.stringify(STRICT_CONFIG));
  run(node, [tsc, "-p", "."]);
  checkImport(node, name, "node", inNode);

  // Deno cannot install a tarball by itself: npm does, and Deno runs on the result.
  const deno = project("deno");
  npmInstall(deno, packed);
  const inDeno = [...denoCommand(), "run", "-A"];
  runAll(deno, inDeno);
  run(deno, [...denoCommand(), "check", ...names]);
  checkImport(deno, name, "deno", inDeno);

  const bun = project("bun");
  const bunProgram = direct(bunCommand());
  run(bun, [...bunProgram, "add", packed]);
  runAll(bun, [...bunProgram, "run"]);
  checkImport(bun, name, "bun", bunProgram);
  checkBundle(bun, name, bunProgram);

  for (const [runtime, folder] of Object.entries({ deno, bun, node })) {
    const command = oldest(runtime);
    for (const example of names) run(folder, [...command, example]);
  }

  const jsr = project("jsr");
  publishTo(join(work, "published"));
  writeFileSync(
    join(jsr, "deno.json"),
    JSON.stringify({
      imports: { [name]: `jsr:${name}@${version}` },
      links: ["../published"],
      nodeModulesDir: "none",
    }),
  );
  rmSync(join(jsr, "package.json"));
  run(jsr, [...denoCommand(), "check", ...names]);
  for (const example of names) run(jsr, [...inDeno, example]);
}

/** The command that runs a file in the oldest version of a runtime that package.json allows. */
function oldest(runtime: string): string[] {
  const tool = `${runtime}@${engines[runtime].replace(">=", "")}.0`;
  if (runtime === "deno") return ["npx", "-y", tool, "run", "-A"];
  // npm runs the install script of Bun only when told so, and then no other one.
  return direct(["npx", "-y", ...(runtime === "bun" ? ["--allow-scripts=bun"] : []), tool]);
}

/** A fresh project that has the programs, and not yet the library. */
function project(runtime: string): string {
  const folder = join(work, runtime);
  mkdirSync(folder);
  const manifest = { name: `consumer-${runtime}`, version: "1.0.0", private: true, type: "module" };
  const files: ProjectFile[] = [
    ["package.json", JSON.stringify(manifest)],
    ["echo.mjs", echo(name)],
    ["placed.mjs", placed(name)],
    ["require.cjs", required(name)],
    ["consumer.ts", everyEntry(name, Object.keys(exports))],
    ...examples,
  ];
  for (const [file, text] of files) writeFileSync(join(folder, file), text);
  // What the README's examples read.
  cpSync(join(TOP, "examples", "files"), join(folder, "examples", "files"), { recursive: true });
  const script = "examples/worker_group.ts";
  writeFileSync(join(folder, script), importByName(readText(script), name, entries));
  return folder;
}

/** Run everything that every runtime runs. */
function runAll(folder: string, command: readonly string[]): void {
  expect(run(folder, [...command, "echo.mjs"]), "echo ok");
  expect(run(folder, [...command, "placed.mjs"]), "placed ok");
  for (const example of names) run(folder, [...command, example]);
}

function npmInstall(folder: string, ...packages: string[]): void {
  run(folder, ["npm", "install", "--silent", "--no-audit", "--no-fund", ...packages]);
}

/** The files that JSR would offer. */
function publishTo(folder: string): void {
  for (const path of publish.include as string[]) {
    cpSync(join(TOP, path), join(folder, path), { recursive: true });
  }
  // Deno ignores the stand-ins of a package that is used, but warns of them.
  const config = readJson("deno.json");
  writeFileSync(join(folder, "deno.json"), JSON.stringify({ ...config, links: undefined }));
}

/** The program behind npx, which would look it up again each time. */
function direct(command: readonly string[]): string[] {
  const [npx, ...args] = command;
  if (npx !== "npx") return [...command];
  return [run(TOP, ["npx", ...args, "-p", "process.execPath"]).trim()];
}

/** Run a command to its end; anything but status 0 ends the check. */
function run(cwd: string, [command, ...args]: readonly string[]): string {
  console.log(`$ ${[command, ...args].join(" ")}`);
  const { status, signal, stdout, stderr, error } = spawnSync(command!, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  if (status === 0) return stdout;
  console.log(stdout ?? "", stderr ?? "");
  throw new Error(`Cannot run ${command}: ${error?.message ?? `status ${status ?? signal}`}`);
}

function expect(output: string, line: string): void {
  if (!output.split("\n").includes(line)) throw new Error(`Cannot find "${line}" in ${output}`);
}

function readText(file: string): string {
  return readFileSync(join(TOP, file), "utf8");
}

// deno-lint-ignore no-explicit-any -- two configuration files, whose shape tests/house checks
function readJson(file: string): any {
  return JSON.parse(readText(file));
}
