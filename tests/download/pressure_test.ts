// A server that has few descriptors, and clients that want more: `prlimit --nofile=128` and 300 of
// them. The server is the program itself, in a process of its own.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { assert, assertEquals, assertLess } from "@std/assert";
import { systemTransport } from "../../mod.ts";
import { commandOf } from "../cli/tools.ts";
import { test } from "../harness.ts";
import { eventually, sha256, sleep } from "../transport/tools.ts";
import { Client, Folder } from "./tools.ts";

const LIMIT = 128;

/** Why it cannot be tried here. */
function noLimits(): string | false {
  if (process.platform !== "linux") return "no /proc to look at";
  try {
    execFileSync("prlimit", ["--nofile=128", "true"], { stdio: "ignore" });
    return false;
  } catch {
    return "no prlimit here";
  }
}
const skip = noLimits();

/** The program in a process of its own, with few descriptors. */
class LimitedServer {
  readonly address: Promise<{ hostname: string; port: number }>;
  readonly ended: Promise<number | null>;
  output = "";
  #child: ChildProcess;

  constructor(folder: string, words: readonly string[]) {
    const command = commandOf(["serve", folder, "--port", "0", ...words]);
    this.#child = spawn("prlimit", [`--nofile=${LIMIT}`, ...command], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => this.output += text);
    }
    this.ended = new Promise((resolve) => this.#child.once("exit", resolve));
    const port = () => /:(\d+)\/\n/.exec(this.output)?.[1];
    this.address = eventually(() => port() !== undefined, () => this.output, 20_000)
      .then(() => ({ hostname: "127.0.0.1", port: Number(port()) }));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Milliseconds of a processor that it has used. */
  get cpuMs(): number {
    const facts = readFileSync(`/proc/${this.pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return 10 * (Number(facts[11]) + Number(facts[12])); // In ticks of 10 ms (proc_pid_stat(5)).
  }

  get openDescriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** The processes that it has started and that are there. */
  get children(): readonly string[] {
    const children = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, "utf8");
    return children.split(" ").filter((pid) => pid !== "");
  }

  signal(name: "SIGTERM" | "SIGKILL"): void {
    process.kill(this.pid, name);
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }
}

interface Limited {
  readonly server: LimitedServer;
  /** Connect so many at once; each asks when `ask` resolves, and checks the answer. */
  clients(count: number, ask: Promise<unknown>): Promise<void>[];
}

async function limited(
  words: readonly string[],
  run: (limited: Limited) => Promise<void>,
): Promise<void> {
  const folder = new Folder();
  const bytes = folder.fill("a", 20_000);
  const server = new LimitedServer(folder.path, words);
  const digest = sha256(bytes);
  try {
    const address = await server.address;
    const one = async (ask: Promise<unknown>): Promise<void> => {
      const client = new Client(await systemTransport().connect(address, { timeoutMs: 60_000 }));
      try {
        await ask;
        const { status, body } = await client.request("GET /a", { Connection: "close" });
        assertEquals([status, sha256(body)], [200, digest]);
        assertEquals(await client.countUntilEnd(), 0);
      } finally {
        client.socket.abort();
      }
    };
    await run({
      server,
      clients: (count, ask) => Array.from({ length: count }, () => one(ask)),
    });
  } finally {
    await server.end();
    folder.remove();
  }
}

test("jackfield serve with 128 descriptors answers 300 clients, and waits without a spin (D6)", {
  skip,
  timeoutMs: 60_000,
}, () =>
  limited([], async ({ server, clients }) => {
    const asking = Promise.withResolvers<void>();
    const answered = Promise.all(clients(300, asking.promise));
    // Until it has all that it can have.
    for (let before = -1; before !== server.openDescriptors; await sleep(100)) {
      before = server.openDescriptors;
    }
    assert(server.openDescriptors > 64, `only ${server.openDescriptors} descriptors`);
    assertLess(server.openDescriptors, LIMIT);
    const before = server.cpuMs;
    await sleep(500);
    assertLess(server.cpuMs - before, 100); // 20 % of a core
    asking.resolve();
    await answered;
    server.signal("SIGTERM");
    assertEquals([await server.ended, /no file descriptor/.test(server.output)], [0, false]);
  }));

test("jackfield serve --generations starts processes that end again (D6)", {
  skip,
  timeoutMs: 90_000,
}, () =>
  limited(["--generations", "3"], async ({ server, clients }) => {
    const asking = Promise.withResolvers<void>();
    const answered = Promise.all(clients(90, asking.promise));
    await eventually(() => server.children.length > 0, () => server.output, 30_000);
    asking.resolve();
    await answered;
    const [generation] = server.children;
    if (generation !== undefined) { // It may have ended already: the first process has room again.
      process.kill(Number(generation), "SIGKILL");
      await eventually(() => !server.children.includes(generation), () => `${server.children}`);
    }
    await Promise.all(clients(3, Promise.resolve())); // Another one accepts.
    const { children } = server;
    server.signal("SIGTERM");
    assertEquals(await server.ended, 0);
    assertEquals(children.filter((pid) => existsSync(`/proc/${pid}`)), []);
  }));
