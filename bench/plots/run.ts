// Draws what the benches wrote into bench/results/: the newest file of each one, but no quick look.
//
//   deno task plots                             everything that was measured
//   deno task plots bench/results/pool-….json   these files
//
// Vega-Lite draws. It is fetched by npx, as it is much larger than everything else here.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import process from "node:process";
import { chartOf, followPage } from "./chart.ts";
import { PLOTS } from "./readings.ts";

const TOOLS = ["-y", "-p", "vega@6.4.0", "-p", "vega-lite@6.5.0", "vl2svg"];
const RESULTS = new URL("../results/", import.meta.url);
const PICTURES = new URL("../../docs/plots/", import.meta.url);

const asked = process.argv.slice(2).filter((word) => word !== "--");
const measured = existsSync(RESULTS) ? readdirSync(RESULTS).sort() : [];
const files = asked.length > 0 ? asked.map((path) => basename(path)) : measured;
if (files.length === 0) {
  console.log("Cannot draw: bench/results/ is empty; run a bench first, such as deno task bench");
  process.exit(1);
}
mkdirSync(PICTURES, { recursive: true });
for (const { bench, title, read } of PLOTS) {
  const [file, content] = newest(bench);
  if (file === undefined) continue;
  const { began, machine, rounds = content.options?.rounds } = content;
  const subtitle = `${began.slice(0, 10)}; ${rounds} rounds; ${machine.cores} cores, ` +
    `${machine.kernel}, ${machine.congestionControl}`;
  const readings = read(content);
  if (readings.length === 0) {
    console.log(`${file}: nothing to draw`);
    continue;
  }
  const svg = followPage(draw(chartOf(title, subtitle, readings)));
  writeFileSync(new URL(`${bench}.svg`, PICTURES), `${svg}\n`);
  console.log(`docs/plots/${bench}.svg from ${file}`);
}

// deno-lint-ignore no-explicit-any -- each bench writes what it has
function newest(bench: string): [file: string, content: any] | [] {
  for (const file of files.filter((name) => name.startsWith(`${bench}-`)).reverse()) {
    const content = JSON.parse(readFileSync(new URL(file, RESULTS), "utf8"));
    if (content.quick !== true) return [file, content];
  }
  return [];
}

function draw(chart: object): string {
  const { status, stdout, stderr } = spawnSync("npx", TOOLS, {
    input: JSON.stringify(chart),
    encoding: "utf8",
    timeout: 120_000,
  });
  if (status === 0 && stdout.startsWith("<svg")) return stdout.trim();
  throw new Error(`Cannot draw with vl2svg: status ${status}\n${stderr}`);
}
