// A server and its successors, each a process of its own, and clients that notice nothing.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  type DownloadServer,
  serveDownloads,
  type ServeDownloadsOptions,
  systemTransport,
} from "../../../mod.ts";
import type { UpgradableServer } from "../../fixtures/upgradable_server.ts";
import { runtime, test } from "../../harness.ts";
import { withSeeds } from "../../support/seeds.ts";
import { eventually, rejection, sleep } from "../../transport/tools.ts";
import { RawClient } from "../raw_client.ts";
import { Client, Folder, headOf } from "../tools.ts";

const SCRIPT = new URL("../../fixtures/upgradable_server.ts", import.meta.url);
const MB = 1_000_000;
/** Each is a process: a few here, ten or more by hand. */
const UPGRADES = Number(process.env.JACKFIELD_UPGRADES ?? 2);
/** What draws the moments of deaths. */
const SEEDS = Array.from(
  { length: Number(process.env.JACKFIELD_STEPS ?? 1) },
  (_, index) => index + 1,
);
/** Processes outlive their tests' own objects by a moment. */
const options = { sanitize: false };

interface Upgrading {
  readonly folder: Folder;
  readonly server: DownloadServer;
  /** What the options of `handOver` are for a successor. */
  to(more?: Partial<UpgradableServer>): { script: URL; args: string[] };
  /** What the processes have written: `pid words`. */
  lines(): string[];
  /** Wait for a line, and give it. */
  line(pattern: RegExp): Promise<string>;
  /** Have the process that serves hand over to the next one. */
  upgrade(pid: number): Promise<number>;
}

async function upgrading(
  run: (tools: Upgrading) => Promise<void>,
  more: Partial<ServeDownloadsOptions> = {},
): Promise<void> {
  const folder = new Folder();
  const logs = new Folder();
  const log = logs.at("log");
  logs.write("log", "");
  const { maxBytesPerSecond } = more;
  const server = await serveDownloads({ root: folder.path, upgradable: true, ...more });
  const lines = () => readFileSync(log, "utf8").split("\n").slice(0, -1);
  const line = async (pattern: RegExp) => {
    const find = () => lines().find((one) => pattern.test(one));
    await eventually(
      () => find() !== undefined,
      () => `no ${pattern} in\n${lines().join("\n")}`,
      30_000,
    );
    return find()!;
  };
  const pids = () => lines().map((one) => Number(one.split(" ", 1)[0]));
  try {
    await run({
      folder,
      server,
      lines,
      line,
      to: (more) => ({
        script: SCRIPT,
        args: [JSON.stringify({ root: folder.path, log, maxBytesPerSecond, ...more })],
      }),
      async upgrade(pid) {
        await line(new RegExp(`^${pid} serves`)); // Before, the signal would end it.
        process.kill(pid, "SIGUSR2");
        const told = await line(new RegExp(`^${pid} (successor|refused)`));
        const [, , next] = told.split(" ");
        return Number(next);
      },
    });
  } finally {
    for (const pid of new Set(pids())) kill(pid);
    server.abort();
    await server.close();
    folder.remove();
    logs.remove();
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Short requests, one after the other, each on a new connection, until it is told to stop. */
function shortRequests(port: number): { stop(): Promise<void> } {
  let isStopped = false;
  let count = 0;
  const asking = (async () => {
    for (; !isStopped; count++) {
      const client = await RawClient.connect(port);
      client.send(headOf("GET /small", { Connection: "close" }));
      const { status, body } = await client.answer();
      assertEquals([status, body.toString()], [200, "hello"]);
      await client.close();
    }
  })();
  asking.catch(() => {});
  return {
    async stop() {
      await Promise.race([asking, eventually(() => count > 10, () => `${count} requests`)]);
      isStopped = true;
      return asking;
    },
  };
}

test(
  `${UPGRADES} upgrades during one download: the same bytes, and no request is refused`,
  options,
  () =>
    upgrading(async ({ folder, server, to, upgrade, line }) => {
      const bytes = folder.fill("big", 6 * MB);
      folder.write("small", "hello");
      const { port } = server.address;
      const client = await RawClient.connect(port);
      client.send(headOf("GET /big"));
      const answer = client.answer();
      answer.catch(() => {}); // What breaks it is told first.
      const requests = shortRequests(port);
      const find = () => server.downloads().find(({ request }) => request.target === "/big");
      await eventually(() => find() !== undefined, () => "it is not served");
      const big = find()!;
      const { pid: first, moved, drained } = await server.handOver(to());
      assert(moved >= 1, `${moved} moved`);
      big.cancel(); // It is not here any more: nothing happens.
      await drained;
      let pid = first;
      for (let count = 1; count < UPGRADES; count++) pid = await upgrade(pid);
      await line(new RegExp(`^${pid} serves`));
      const { status, body } = await answer;
      assertEquals(status, 200);
      assert(body.equals(bytes), "other bytes");
      await requests.stop();
      await client.close();
    }, { maxBytesPerSecond: 4 * MB }),
);

test(
  "an idle connection, a part of a head, and a queued request move along",
  options,
  () =>
    upgrading(async ({ folder, server, to }) => {
      folder.write("small", "hello");
      const bytes = folder.fill("big", 2 * MB);
      const clients = await Promise.all([0, 1, 2, 3].map(() => Client.connect(server.address)));
      const [idle, partial, sending, queued] = clients as [Client, Client, Client, Client];
      assertEquals((await idle.request("GET /small")).status, 200);
      const head = headOf("GET /small");
      await partial.sendText(head.slice(0, 20));
      await sending.send("GET /big", { Range: "bytes=1000-1999999" });
      await eventually(() => server.stats().active === 1, () => "it is not sent");
      await queued.send("GET /small");
      await eventually(() => server.stats().queued === 1, () => "it is not queued");
      const part = sending.answer(); // It takes what comes, so that no piece of it waits for long.
      await sleep(50); // The part of the head has been read.
      const { moved, drained, pid } = await server.handOver(to({ maxBytesPerSecond: undefined }));
      assertEquals(moved, 4);
      await drained;
      assertEquals(server.stats().connections, 0);
      assert(pid !== process.pid);
      await partial.sendText(head.slice(20));
      assertEquals((await partial.answer()).status, 200);
      assertEquals((await queued.answer()).status, 200);
      const { status, body } = await part;
      assertEquals([status, body], [206, bytes.subarray(1000)]);
      for (const client of clients) {
        assertEquals((await client.request("GET /small")).status, 200); // on the same connection
        client.socket.abort();
      }
    }, { maxBytesPerSecond: MB / 20, maxActive: 1 }),
);

test(
  "a successor that dies at any moment before it has taken all changes nothing",
  options,
  () =>
    upgrading(async ({ folder, server, to, lines }) => {
      const bytes = folder.fill("big", 6 * MB);
      folder.write("small", "hello");
      const { port } = server.address;
      const client = await RawClient.connect(port);
      client.send(headOf("GET /big"));
      const answer = client.answer();
      answer.catch(() => {}); // What breaks it is told first.
      const idle = await Client.connect(server.address);
      assertEquals((await idle.request("GET /small")).status, 200);
      const requests = shortRequests(port);
      await withSeeds(SEEDS, async (dice) => {
        const { code } = await rejection(server.handOver(to({ dieAt: dice.below(6) })));
        assertEquals(code, "HANDOVER_FAILED");
      });
      const moments = lines().map((one) => one.split(" ").slice(1).join(" "));
      assertEquals(moments.length, SEEDS.length);
      assertEquals((await idle.request("GET /small")).status, 200);
      assert(server.downloads().some(({ request }) => request.target === "/big"));
      await server.handOver(to({ maxBytesPerSecond: undefined })); // And then it can.
      assert((await answer).body.equals(bytes), `other bytes after ${moments}`);
      assertEquals((await idle.request("GET /small")).status, 200);
      await requests.stop();
      idle.socket.abort();
      await client.close();
    }, { maxBytesPerSecond: MB / 20 }),
);

test(
  "a successor that dies with all in its hands leaves the old one accepting",
  options,
  () =>
    upgrading(async ({ folder, server, to, lines }) => {
      folder.write("small", "hello");
      const idle = await Client.connect(server.address);
      await eventually(() => server.stats().connections === 1, () => "it is not accepted");
      // ready, one connection, batch, taken: behind it, it dies.
      const { code } = await rejection(server.handOver(to({ dieAt: 5 })));
      assertEquals(code, "HANDOVER_FAILED");
      assertMatch(lines()[0]!, /dies behind taken/);
      assertEquals(await idle.countUntilEnd(), 0);
      const client = await Client.connect(server.address);
      assertEquals((await client.request("GET /small")).status, 200);
      for (const { socket } of [idle, client]) socket.abort();
    }),
);

test(
  "a successor whose predecessor dies before it has taken all ends",
  options,
  () =>
    upgrading(async ({ folder, server, to, line }) => {
      const { args: [json] } = to({ killAt: 3 });
      const { pid, drained } = await server.handOver(to({ next: JSON.parse(json!) }));
      await drained;
      await line(new RegExp(`^${pid} serves`));
      const client = await Client.connect(server.address);
      folder.write("small", "hello");
      assertEquals((await client.request("GET /small")).status, 200);
      process.kill(pid, "SIGUSR2");
      await line(/kills (before|behind|at)/);
      await line(/cannot serve HANDOVER_FAILED/);
      assertEquals(await client.countUntilEnd(), 0);
      client.socket.abort();
    }),
);

test(
  "handOver() rejects when the successor cannot serve, speaks otherwise or says nothing",
  options,
  () =>
    upgrading(async ({ folder, server, to }) => {
      folder.write("small", "hello");
      const client = await Client.connect(server.address);
      const other = await rejection(server.handOver(to({ version: 99 })));
      assertEquals(other.code, "HANDOVER_REFUSED");
      const failed = await rejection(server.handOver(to({ root: folder.at("nowhere") })));
      assertEquals(failed.code, "HANDOVER_FAILED");
      assertMatch(failed.message, /nowhere/);
      const late = await rejection(server.handOver({ ...to({ isSilent: true }), timeoutMs: 200 }));
      assertEquals(late.code, "HANDOVER_FAILED");
      assertMatch(late.message, /not "ready" within 200 ms/);
      const signal = AbortSignal.timeout(50);
      const given = await rejection(server.handOver({ ...to({ isSilent: true }), signal }));
      assertEquals(given as unknown, signal.reason);
      assertEquals((await client.request("GET /small")).status, 200);
      client.socket.abort();
    }),
);

test("handOver() rejects with UNSUPPORTED for a listener that cannot move, and starts nothing", async () => {
  const folder = new Folder();
  const server = await serveDownloads({ root: folder.path });
  const isNode = runtime === "node"; // Its sockets are always of node:net.
  if (!isNode) assertEquals((await rejection(server.handOver())).code, "UNSUPPORTED");
  await server.close();
  assertEquals((await rejection(server.handOver())).code, "DOWNLOAD_CLOSED");
  folder.remove();
});

test("handOver() rejects with PERMISSION_DENIED in Deno without --allow-run, and goes on", {
  skip: runtime !== "deno" && "only Deno has permissions",
}, () => {
  const script = new URL("../../fixtures/permitted_handover.ts", import.meta.url).href;
  const flags = ["run", "--no-check", "--no-prompt", "--allow-net", "--allow-read", script];
  const cwd = fileURLToPath(new URL("../../../", import.meta.url));
  const { stdout } = spawnSync(process.execPath, flags, { encoding: "utf8", cwd });
  assertMatch(stdout, /^PERMISSION_DENIED --allow-run\S* 200\n$/);
});

const TLS = {
  cert: readFileSync(new URL("../../fixtures/tls/server.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../../fixtures/tls/server.key", import.meta.url), "utf8"),
};

test("a server with TLS hands over its port, and finishes what it has", {
  ...options,
  skip: runtime === "deno" && "Deno cannot share such a port",
}, () =>
  upgrading(async ({ folder, server, to, line }) => {
    const bytes = folder.fill("big", 2 * MB);
    folder.write("small", "hello");
    const { hostname, port } = server.address;
    const caCerts = [readFileSync(new URL("../../fixtures/tls/ca.pem", import.meta.url), "utf8")];
    const connect = async () => {
      const tls = { caCerts, serverName: "localhost" };
      return new Client(await systemTransport().connect({ hostname, port, tls }));
    };
    const old = await connect();
    const answer = old.request("GET /big");
    await eventually(() => server.stats().active === 1, () => "it is not served");
    const { message } = await rejection(server.handOver(to()));
    assertMatch(
      message,
      /the old process speaks https, and this one has no option tls/,
    );
    const { pid, moved, drained } = await server.handOver(to({ tls: TLS }));
    assertEquals(moved, 0);
    await line(new RegExp(`^${pid} serves ${port}`));
    // What the kernel gives to the old listener is answered by it, or ends with it.
    const ask = async (): Promise<Client | undefined> => {
      try {
        const client = await connect();
        const { status } = await client.request("GET /small");
        return status === 200 && server.stats().connections === 1 ? client : undefined;
      } catch {
        return undefined;
      }
    };
    let client = await ask();
    for (let tries = 0; client === undefined; tries++) {
      assert(tries < 20, "the new process does not answer");
      await sleep(20);
      client = await ask();
    }
    assertEquals(Buffer.compare((await answer).body, bytes), 0);
    for (const { socket } of [old, client]) await socket.close();
    await drained;
  }, { tls: TLS, maxBytesPerSecond: 2 * MB }));
