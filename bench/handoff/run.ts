// Handoff to a process and to a thread against the bare primitive of each runtime, interleaved.
//
//   deno task bench:handoff              15 rounds in Deno, Bun and Node; about three minutes
//   deno task bench:handoff --quick      3 short rounds
//   deno task bench:handoff --gate       status 1 when a ratio is too low
//
// Bare is `send(message, socket)` for a process, and for a thread a duplicated descriptor in a
// message, taken up by the runtime's own call. It keeps no copy, waits for nothing, and loses what was
// read ahead. Bare with an answer keeps its copy until the other end says that it has the connection: the
// least that any handoff does that loses nothing. It is shown, and not judged.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runChild } from "../support/child.ts";
import { readArguments, saveResults } from "../support/command.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { HEAD, linesOf, type Report } from "./report.ts";

const { only, gate, rounds, ms } = readArguments(
  process.argv.slice(2),
  { rounds: 15, ms: 300 },
  { rounds: 3, ms: 100 },
);
const machine = readMachine();
const began = new Date();
console.log(`# Handoff, ${rounds} rounds of ${ms} connections\n${describeMachine(machine)}`);
const reports: Report[] = [];
let isShort = false;
for (const runtime of only) {
  const file = fileURLToPath(new URL("child.ts", import.meta.url));
  const report = await runChild<Report>(runtime, file, { rounds, count: ms }, 180_000);
  const lines = linesOf(report);
  isShort ||= lines.some((line) => line.isShort);
  reports.push(report);
  console.log(`\n## ${report.version}\n\n${HEAD}\n${lines.map(({ text }) => text).join("\n")}`);
}
const kept = reports.map((report) => ({
  version: report.version,
  lines: linesOf(report).map(({ text, ratio }) => ({ text, ratio })),
}));
console.log(`\n${saveResults("handoff", began, { machine, rounds, reports: kept })}`);
process.exit(gate && isShort ? 1 : 0);
