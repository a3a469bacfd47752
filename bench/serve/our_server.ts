// The library's server in a process of its own, for loads and for tests that count what is left. Its
// argument is an `OurPlan` as JSON. Prints an `OurStart`, answers every line of its standard input with
// its `OurFacts`, and ends with its standard input.
import process from "node:process";
import { serveDownloads, type ServeDownloadsOptions } from "../../mod.ts";
import type { OurFacts, OurPlan, OurStart } from "./our_facts.ts";

interface Runtimes {
  readonly gc?: () => void;
  readonly Bun?: { gc(force: boolean): void };
  readonly Deno?: Readonly<Record<symbol, { core: { resources(): Record<string, string> } }>> & {
    readonly internal: symbol;
  };
}

const { gc, Bun: bun, Deno: deno } = globalThis as unknown as Runtimes;
const plan = JSON.parse(process.argv[2]!) as OurPlan;
const errors: Record<string, number> = {};
const server = await serveDownloads({
  ...plan.options as unknown as ServeDownloadsOptions,
  ...plan.engine === "sendfile" ? { engine: await sendfileEngine() } : {},
  onError: (error) => count(errors, (error as { code?: string }).code ?? String(error)),
});
say<OurStart>({ port: server.address.port, pid: process.pid, version: versionOf() });
process.stdin.on("data", async () => {
  if (plan.collect) await collect();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const memory = { rss, heapUsed, external, arrayBuffers };
  say<OurFacts>({ memory, resources: resources(), stats: ownStats(), errors });
});
process.stdin.on("end", () => process.exit(0));

/** What is garbage goes, also what only finalizers let go. */
async function collect(): Promise<void> {
  for (let times = 0; times < 6; times++) {
    gc?.();
    bun?.gc(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function resources(): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) count(found, name);
  const own = deno?.[deno.internal]?.core.resources() ?? {}; // Of this very version: no public name.
  for (const name of Object.values(own)) count(found, name);
  return found;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

/** Loaded only when it is asked for, as users do: it is the entry that turns FFI on. */
async function sendfileEngine(): Promise<ServeDownloadsOptions["engine"]> {
  return (await import("../../src/native/mod.ts")).sendfileEngine();
}

/** The server's counts, without what is none, and what counts the whole process. */
function ownStats(): Record<string, number> {
  const { engine: _, descriptors: __, ...rest } = server.stats();
  return rest;
}

function say<T>(what: T): void {
  console.log(JSON.stringify(what));
}

function versionOf(): string {
  const { deno, bun, node } = process.versions as Readonly<Record<string, string>>;
  return deno !== undefined ? `Deno ${deno}` : bun !== undefined ? `Bun ${bun}` : `Node ${node}`;
}
