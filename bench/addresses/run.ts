// The address table's headline: one process holds 19,000 connections at once to one destination, from
// three addresses whose range is cut to 6,500 ports each, and every one of them echoes.
//
//   deno task bench:addresses                       in Deno, Bun and Node; about a minute
//   deno task bench:addresses --only bun
//
// The figures go to bench/results/ as JSON, too. Status 1 when a connection is missing.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bunCommand, denoCommand, nodeCommand } from "../../tests/support/tools.ts";
import { type Runtime, RUNTIMES } from "../support/child.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { Lines } from "./lines.ts";
import type { Plan, Report } from "./plan.ts";

const ADDRESSES = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
const PORTS_EACH = 6500;
const CONNECTIONS = 19_000;
/** Each run has ports of its own: those of the one before it wait for a minute (RFC 9293, 3.6.1). */
const FIRST_PORT: Readonly<Record<Runtime, number>> = { deno: 10_000, bun: 16_500, node: 23_000 };

const only = readArguments(process.argv.slice(2));
const machine = readMachine();
const began = new Date();
console.log(`# ${CONNECTIONS} connections at once to one destination`);
console.log(
  `${ADDRESSES.length} addresses, ${PORTS_EACH} ports each; client and server: a process each`,
);
console.log(`${describeMachine(machine)}\n`);
console.log(row("", "held", "echoed", "connect", "echo", "close", "RSS each", "when used"));

const results: (Report & { readonly served: number })[] = [];
for (const runtime of only) {
  try {
    const result = await measure(runtime);
    results.push(result);
    const { version, held, echoed, connectMs, echoMs, closeMs } = result;
    const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
    const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
    console.log(row(
      ...[version, String(held), String(echoed)],
      ...[seconds(connectMs), seconds(echoMs), seconds(closeMs)],
      ...[kib(result.bytesPerConnection), kib(result.bytesPerConnectionUsed)],
    ));
  } catch (error) {
    console.log(`${runtime}: ${(error as Error).message}`);
  }
}
console.log(`\nRSS: of the client alone, divided by the connections; kernel memory is not in it.`);
const whole = (result: Report & { readonly served: number }): boolean =>
  [result.held, result.tuples, result.echoed, result.served].every((n) => n === CONNECTIONS);
console.log(save());
process.exit(results.length === only.length && results.every(whole) ? 0 : 1);

async function measure(runtime: Runtime): Promise<Report & { readonly served: number }> {
  const server = new Lines(start(runtime, "server.ts"));
  try {
    const { port } = await server.next<{ port: number }>();
    const from = FIRST_PORT[runtime];
    const ports = { from, to: from + PORTS_EACH - 1 };
    const plan: Plan = { port, addresses: ADDRESSES, ports, connections: CONNECTIONS };
    const client = new Lines(start(runtime, "client.ts", JSON.stringify(plan)));
    try {
      await client.next();
      server.tell();
      const { connections: served } = await server.next<{ connections: number }>();
      client.tell();
      return { ...await client.next<Report>(), served };
    } finally {
      client.kill();
    }
  } finally {
    server.kill();
  }
}

/** Start a script with as many descriptors as the system permits. */
function start(runtime: Runtime, script: string, ...args: string[]): ChildProcess {
  const words = {
    deno: () => [...denoCommand(), "run", "-A", "--no-check", "--v8-flags=--expose-gc"],
    bun: bunCommand,
    node: () => [...nodeCommand(), "--expose-gc", "--disable-warning=ExperimentalWarning"],
  }[runtime]();
  const file = fileURLToPath(new URL(script, import.meta.url));
  const raise = 'ulimit -n "$(ulimit -Hn)" && exec "$@"';
  return spawn("sh", ["-c", raise, "sh", ...words, file, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true, // A group of its own, so that npx's child ends with it.
    env: { ...process.env, NO_COLOR: "1", npm_config_loglevel: "error" },
  });
}

function row(...[name, ...columns]: string[]): string {
  return [name!.padEnd(13), ...columns.map((column) => column.padStart(10))].join("").trimEnd();
}

/** Write the figures down; returns where. */
function save(): string {
  const folder = new URL("../results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const name = `addresses-${began.toISOString().slice(0, 19).replaceAll(":", "")}.json`;
  const plan = { addresses: ADDRESSES, portsEach: PORTS_EACH, connections: CONNECTIONS };
  const content = { began: began.toISOString(), machine, plan, results };
  writeFileSync(new URL(name, folder), `${JSON.stringify(content, null, 2)}\n`);
  return `bench/results/${name}`;
}

function readArguments(args: readonly string[]): readonly Runtime[] {
  const words = args.filter((arg) => arg !== "--").flatMap((arg) => arg.split("="));
  if (words.length === 0) return RUNTIMES;
  const names = words[1]?.split(",") ?? [];
  const known = RUNTIMES.filter((runtime) => names.includes(runtime));
  if (words[0] === "--only" && known.length > 0 && known.length === names.length) return known;
  console.log(
    `Cannot read "${words.join(" ")}": expected --only and some of ${RUNTIMES.join(",")}`,
  );
  process.exit(1);
}
