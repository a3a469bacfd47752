// Runs in each of the three runtimes: requests of 64 bytes over loopback, 64 tasks at once, through a
// pool of ten and with a socket for each request. Client and server are in one process. The parent
// gives `{"rounds":15,"ms":120}` as the only argument and gets a `TripsReport` as the last line.
import process from "node:process";
import { createPool } from "generic-pool";
import { type Listener, type Socket, SocketPool } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { Budget, checkEcho, ECHO_BYTES, type Limits, newMessage } from "../transport/side.ts";
import { SOCKETS } from "./cells.ts";
import type { TripsReport } from "./report.ts";

/** What one task does for one request. */
type Request = (message: Uint8Array<ArrayBuffer>, answer: Uint8Array<ArrayBuffer>) => Promise<void>;

const TASKS = 64;

const { rounds, ms } = JSON.parse(process.argv[2] ?? "{}") as { rounds: number; ms: number };
const transport = systemTransport();
const ways = { pool: throughPool, generic: throughGenericPool, single: oneForEach };
type Way = keyof typeof ways;
const names = Object.keys(ways) as Way[];
const report: TripsReport = { pool: [], generic: [], single: [] };
for (let round = 0; round <= rounds; round++) {
  for (let at = 0; at < names.length; at++) {
    const name = names[(at + round) % names.length]!;
    const rate = await measure(ways[name]);
    if (round > 0) report[name].push(rate / 1e3);
  }
}
console.log(JSON.stringify(report));
process.exit(0);

/** Requests per second. A listener for each, so that no address has all tuples in TIME_WAIT. */
async function measure(way: (listener: Listener, limits: Limits) => Promise<number>) {
  const listener = await transport.listen({ hostname: "127.0.0.1", port: 0 });
  const served = serve(listener);
  const rate = await way(listener, { ms, count: 1_000_000 });
  await listener.close();
  await served;
  return rate;
}

async function throughPool({ address }: Listener, limits: Limits): Promise<number> {
  const pool = new SocketPool({ transport, target: address, maxSize: SOCKETS });
  const rate = await ask(limits, async (message, answer) => {
    const lease = await pool.acquire();
    await roundTrip(lease.socket, message, answer);
    lease.release();
  });
  await pool.close();
  return rate;
}

async function throughGenericPool({ address }: Listener, limits: Limits): Promise<number> {
  const pool = createPool({
    create: () => transport.connect(address),
    destroy: (socket: Socket) => socket.close(),
  }, { max: SOCKETS });
  const rate = await ask(limits, async (message, answer) => {
    const socket = await pool.acquire();
    await roundTrip(socket, message, answer);
    void pool.release(socket);
  });
  await pool.drain();
  await pool.clear();
  return rate;
}

function oneForEach({ address }: Listener, { ms }: Limits): Promise<number> {
  // Few, for each one leaves a tuple in TIME_WAIT.
  return ask({ ms, count: 6_000 }, async (message, answer) => {
    const socket = await transport.connect(address);
    await roundTrip(socket, message, answer);
    await socket.close();
  });
}

async function ask(limits: Limits, request: Request): Promise<number> {
  const budget = new Budget(limits);
  const task = async () => {
    const message = newMessage();
    const answer = new Uint8Array(ECHO_BYTES);
    while (budget.take()) {
      message[0]!++;
      await request(message, answer);
    }
  };
  await Promise.all(Array.from({ length: TASKS }, task));
  return budget.rate();
}

async function roundTrip(
  socket: Socket,
  message: Uint8Array<ArrayBuffer>,
  answer: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await socket.write(message);
  let filled = 0;
  while (filled < ECHO_BYTES) {
    const count = await socket.read(filled === 0 ? answer : answer.subarray(filled));
    if (count === null) throw new Error("the echo ended early");
    filled += count;
  }
  checkEcho(answer[0], message[0]);
}

async function serve(listener: Listener): Promise<void> {
  for await (const socket of listener) void echo(socket);
}

async function echo(socket: Socket): Promise<void> {
  const buffer = new Uint8Array(ECHO_BYTES);
  for (;;) {
    const count = await socket.read(buffer).catch(() => null);
    if (count === null) break;
    await socket.write(buffer.subarray(0, count));
  }
  await socket.close();
}
