import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bunCommand, denoCommand } from "../../tests/support/tools.ts";
import { type Contender, portInJson, portInUrl, startContender } from "./contender_process.ts";
import type { ContenderPlan } from "./contenders/plan.ts";
import { startNginx } from "./nginx.ts";
import type { Engine } from "./our_facts.ts";

/** A runtime that servers of the comparison run in. */
export type ServeRuntime = "deno" | "bun";

/** A server of the comparison. */
export interface Competitor {
  /** Its name in the tables, and for `--servers`. */
  readonly name: string;
  /** Our server's runtime and engine; others have none. */
  readonly ours?: { readonly runtime: ServeRuntime; readonly engine: Engine };
  /** Whether it is measured with TLS, too. */
  readonly speaksTls: boolean;
  /** Whether downloads leave it out. */
  readonly requestsOnly?: boolean;
  /** Start it. */
  start(plan: ContenderPlan): Promise<Contender>;
}

/** What sets the measure; it is always among the servers. */
export const MEASURE = "nginx";

const CLI = pathOf("../../src/cli/mod.ts");

/** All servers that this machine and this version of ours can start. */
export function competitors(): readonly Competitor[] {
  const engines = knownEngines();
  const own = ["deno", "bun"].flatMap((runtime) =>
    engines.map((engine) => ours(runtime as ServeRuntime, engine, engines.length > 1))
  );
  return [
    nginx(MEASURE, { openFileCache: false }),
    nginx("nginx-cache", { openFileCache: true }),
    ...own,
    program("deno-serve", "deno", "own_serve", { speaksTls: true }),
    program("bun-serve", "bun", "own_serve", { speaksTls: true }),
    // It says no Content-Length in Deno, and load.c reads no chunks.
    program("deno-hono", "deno", "hono_serve", { speaksTls: false, requestsOnly: true }),
    program("bun-hono", "bun", "hono_serve", { speaksTls: false }),
  ];
}

/** Start a program of the folder `contenders/`. */
export function startProgram(
  runtime: ServeRuntime,
  file: string,
  plan: ContenderPlan,
): Promise<Contender> {
  const path = pathOf(`contenders/${file}.ts`);
  const words = [...commandOf(runtime), path, JSON.stringify(plan)];
  return startContender(words, portInJson);
}

/** Such as `Deno 2.9.6`. */
export function versionOf(runtime: ServeRuntime): string {
  const [command, ...args] = runtime === "deno" ? denoCommand() : bun();
  const { stdout } = spawnSync(command!, [...args, "--version"], { encoding: "utf8" });
  const version = /\d+\.\d+\.\d+/.exec(stdout ?? "")?.[0] ?? "?";
  return `${runtime === "deno" ? "Deno" : "Bun"} ${version}`;
}

/** An old `serve` has no engines: it copies, and no option says so. */
function knownEngines(): readonly Engine[] {
  const [command, ...args] = [...commandOf("deno"), CLI, "serve", "--help"];
  const { stdout } = spawnSync(command!, args, { encoding: "utf8", timeout: 60_000 });
  const known: readonly Engine[] = ["copy", "sendfile", "accept"];
  return known.filter((name) => name === "copy" || (stdout ?? "").includes(`${name} (`));
}

/** What is open already helps small files only. */
function nginx(name: string, { openFileCache }: { readonly openFileCache: boolean }): Competitor {
  return {
    name,
    speaksTls: !openFileCache,
    requestsOnly: openFileCache,
    async start(plan) {
      const server = await startNginx({ ...plan, openFileCache });
      if (server === undefined) throw new Error("Cannot measure: nginx is not installed");
      return server;
    },
  };
}

function ours(runtime: ServeRuntime, engine: Engine, sayEngine: boolean): Competitor {
  return {
    name: `${runtime}-${engine}`,
    ours: { runtime, engine },
    speaksTls: engine === "copy",
    start({ root, tls }) {
      const words = [...commandOf(runtime), CLI, "serve", root, "--port", "0"];
      if (sayEngine) words.push("--engine", engine);
      if (tls !== undefined) words.push("--cert", tls.cert, "--key", tls.key);
      return startContender(words, portInUrl);
    },
  };
}

function program(
  name: string,
  runtime: ServeRuntime,
  file: string,
  traits: Pick<Competitor, "speaksTls" | "requestsOnly">,
): Competitor {
  return {
    name,
    ...traits,
    start: (plan) => startProgram(runtime, file, withTexts(plan)),
  };
}

/** The runtimes take certificates as texts, nginx and our own command take files. */
function withTexts(plan: ContenderPlan): ContenderPlan {
  if (plan.tls === undefined) return plan;
  const { cert, key } = plan.tls;
  return { ...plan, tls: { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") } };
}

function commandOf(runtime: ServeRuntime): string[] {
  return runtime === "deno" ? [...denoCommand(), "run", "-A", "--no-check"] : bun();
}

function bun(): string[] {
  const { error } = spawnSync("bun", ["--version"], { stdio: "ignore" });
  return error === undefined ? ["bun"] : bunCommand();
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
