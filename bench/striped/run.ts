// A striped socket against one bare socket: on loopback over 1, 2, 4 and 8 sockets, and over four
// links that are shaped to 100 Mbit/s (tbf(8)), and over uneven ones. Client and server are two
// processes in network namespaces of their own, in the runtime that runs this file; rounds are
// interleaved. Needs what the tests in namespaces need.
//
//   deno task bench:striped                     9 rounds: about 10 minutes
//   deno task bench:striped --quick             3 rounds
//   deno task bench:striped --gate              status 1 when a ratio is too low
//   bun bench/striped/run.ts                    the same in Bun
import process from "node:process";
import { runtime } from "../../tests/harness.ts";
import { type Namespace, noNamespaces, withNamespaces } from "../../tests/namespaces/tools.ts";
import { readArguments, saveResults } from "../support/command.ts";
import { describeMachine, readMachine } from "../support/machine.ts";
import { ratiosOf, spreadOf } from "../support/statistics.ts";
import type { Measured, Task } from "./child.ts";
import { type Network, NETWORKS } from "./plan.ts";

const SERVER = "10.9.0.1";
const UNIT_BYTES = 256 * 1024;

const { rounds, gate } = readArguments(process.argv.slice(2), { rounds: 9, ms: 0 }, {
  rounds: 3,
  ms: 0,
});
if (noNamespaces !== false) {
  console.log(`Cannot measure: ${noNamespaces}`);
  process.exit(1);
}
const only = process.env.JACKFIELD_NETWORKS?.split(",");
const networks = NETWORKS.filter(({ name }) => only === undefined || only.includes(name));
const began = new Date();
const machine = readMachine();
console.log(
  `# Striped sockets in ${runtime}, ${rounds} rounds, GB/s and CPU s/GB (client + server)`,
);
console.log(describeMachine(machine));

const speeds = new Map<string, number[]>();
const costs = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const network of networks) {
    // The odd rounds go the other way round, so that nobody always comes first.
    const order = round % 2 === 0 ? network.sockets : network.sockets.toReversed();
    for (const sockets of order) {
      const { speed, cost } = await measure(network, sockets);
      const name = `${network.name} ${sockets}`;
      speeds.set(name, [...speeds.get(name) ?? [], speed]);
      costs.set(name, [...costs.get(name) ?? [], cost]);
    }
  }
}
report();

async function measure(
  network: Network,
  sockets: number,
): Promise<{ speed: number; cost: number }> {
  let result = { speed: 0, cost: 0 };
  await withNamespaces(async (create) => {
    const server = await create();
    const client = network.links.length === 0 ? server : await create();
    if (network.congestion !== undefined) {
      server.run(`sysctl -qw net.ipv4.tcp_congestion_control=${network.congestion}`);
    }
    const hostname = network.links.length === 0 ? "127.0.0.1" : SERVER;
    const addresses = network.links.length === 0 ? undefined : shape(network.links, client, server);
    const task = { hostname, sockets, bytes: network.bytes, unitBytes: UNIT_BYTES };
    const script = "../../bench/striped/child.ts";
    const far = start(server, script, { ...task, role: "server" });
    const { port } = await far.answer<{ port: number }>();
    const near = start(client, script, { ...task, role: "client", port, addresses });
    const { cpuMs } = await near.answer<{ cpuMs: number }>();
    const measured = await far.answer<Measured>();
    const { bytes, ms } = measured;
    result = { speed: bytes / ms / 1e6, cost: (measured.cpuMs + cpuMs) * 1e6 / bytes };
  });
  return result;
}

function start(place: Namespace, script: string, task: Task): ReturnType<Namespace["start"]> {
  return place.start(script, [JSON.stringify(task)]);
}

/** Cables between client and server, each slower than the machine; gives the client's addresses. */
function shape(rates: readonly number[], client: Namespace, server: Namespace): string[] {
  server.run(`ip address add ${SERVER}/32 dev lo`);
  return rates.map((rate, index) => {
    const [near, far] = [`10.7.${index}.1`, `10.7.${index}.2`];
    client.connect(`c${index}`, server, `s${index}`);
    client.run(`ip address add ${near}/30 dev c${index}`);
    server.run(`ip address add ${far}/30 dev s${index}`);
    const words = `root tbf rate ${rate}mbit burst 128kb latency 50ms`;
    client.run(`tc qdisc add dev c${index} ${words}`);
    server.run(`tc qdisc add dev s${index} ${words}`);
    client.run(`ip rule add from ${near} lookup ${100 + index}`);
    client.run(`ip route add ${SERVER} via ${far} dev c${index} table ${100 + index}`);
    if (index === 0) client.run(`ip route add ${SERVER} via ${far} dev c0`);
    return near;
  });
}

function report(): void {
  console.log(
    "| network, sockets | GB/s | CPU s/GB | of the bare one |\n| --- | --- | --- | --- |",
  );
  for (const [name, figures] of speeds) {
    const bare = speeds.get(`${name.split(" ")[0]} 0`);
    const ratio = bare === undefined ? "" : spreadOf(ratiosOf(figures, bare)).median.toFixed(2);
    const { median, min, max } = spreadOf(figures);
    const cost = spreadOf(costs.get(name)!).median.toFixed(2);
    const range = `${min.toFixed(3)}-${max.toFixed(3)}`;
    console.log(`| ${name} | ${median.toFixed(3)} (${range}) | ${cost} | ${ratio} |`);
  }
  const goals = goalsOf();
  for (const { name, ratio, least, aim, ok } of goals) {
    console.log(
      `${ok ? "ok  " : "LOW "} ${name}: ${ratio.toFixed(2)}, at least ${least}, aim ${aim}`,
    );
  }
  const figures = { speeds: Object.fromEntries(speeds), costs: Object.fromEntries(costs) };
  console.log(saveResults("striped", began, { runtime, machine, rounds, ...figures, goals }));
  if (gate && goals.some(({ ok }) => !ok)) process.exitCode = 1;
}

interface Goal {
  readonly name: string;
  readonly ratio: number;
  readonly least: number;
  readonly aim: number;
  readonly ok: boolean;
}

function goalsOf(): Goal[] {
  const goals: Goal[] = [];
  const add = (name: string, ours: string, sum: readonly string[], least: number, aim: number) => {
    const parts = sum.map((part) => speeds.get(part));
    const figures = speeds.get(ours);
    if (figures === undefined || parts.includes(undefined)) return;
    const bare = figures.map((_, round) => parts.reduce((all, part) => all + part![round]!, 0));
    const ratio = spreadOf(ratiosOf(figures, bare)).median;
    goals.push({ name, ratio, least, aim, ok: ratio >= least });
  };
  add("1 socket of a bare one (reno)", "reno 1", ["reno 0"], 0.75, 0.9);
  add("4 sockets of a bare one (reno)", "reno 4", ["reno 0"], 0.65, 0.85);
  const fast = "one100 0";
  add("four links of their sum", "even 4", [fast, fast, fast, fast], 0.92, 0.98);
  add("uneven links of their sum", "uneven 4", [fast, fast, fast, "one25 0"], 0.75, 0.9);
  return goals;
}
