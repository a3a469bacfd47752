// The admin handler over what it shows: a pool, an address table and a download manager in memory.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { adminHandler, type AdminOptions } from "../../src/admin/mod.ts";
import { AddressTable, DownloadManager, hostAddresses, SocketPool } from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { MemoryFiles } from "../download/memory_files.ts";
import { test } from "../harness.ts";

const TOKEN = "0123456789abcdef";

/** Ask as somebody who has the token. */
function asker(options: AdminOptions) {
  const handler = adminHandler({ token: TOKEN, ...options });
  return (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${TOKEN}`, ...init.headers as object };
    return handler(new Request(`http://127.0.0.1${path}`, { ...init, headers }));
  };
}

/** A table whose time stands still. */
function tableOf(): AddressTable {
  const clock = new VirtualClock();
  const transport = memoryTransport({ clock });
  return new AddressTable({ transport, source: hostAddresses(["127.0.0.2", "127.0.0.3"]), clock });
}

test("adminHandler() refuses to be made without a token, or with one that says little", () => {
  for (const token of [undefined, "", "short", "a secret of many words", "ä".repeat(20)]) {
    assertThrows(() => adminHandler({ token }), TypeError, "token");
  }
  assertThrows(
    () => adminHandler({ token: "short", loopback: true }),
    TypeError,
    "expected at least 16",
  );
  adminHandler({ loopback: true });
  adminHandler({ token: "0123456789ab-._~+/==" });
});

test("adminHandler() answers 401 to who has not the token, and shows probes what they need", async () => {
  const handler = adminHandler({ token: TOKEN });
  const ask = (path: string, authorization?: string) =>
    handler(
      new Request(`http://x${path}`, {
        headers: authorization === undefined ? {} : { authorization },
      }),
    );
  const wrong = [undefined, "", "Bearer", "Bearer ", "Basic 0123456789abcdef", `Bearer ${TOKEN}0`];
  for (const given of [...wrong, `Bearer ${TOKEN.slice(1)}`, "Bearer 0123456789abcdeg"]) {
    for (const path of ["/", "/metrics", "/drain", "/nothing"]) {
      const answer = await ask(path, given);
      assertEquals([answer.status, answer.headers.get("www-authenticate")], [401, "Bearer"], given);
    }
  }
  assertEquals((await ask("/metrics", `bearer ${TOKEN}`)).status, 200);
  assertEquals(await (await ask("/health")).json(), { status: "ok" });
  assertEquals(await (await ask("/ready")).json(), { ready: true, notReady: [] });
});

test("adminHandler() without a token answers only to names of this host, and to no other page", async () => {
  const handler = adminHandler({ loopback: true });
  const status = async (url: string, origin?: string, method = "GET") => {
    const headers: HeadersInit = origin === undefined ? {} : { origin };
    return (await handler(new Request(url, { method, headers }))).status;
  };
  for (const host of ["127.0.0.1:9000", "localhost", "[::1]:9000"]) {
    assertEquals(await status(`http://${host}/metrics`), 200);
    assertEquals(await status(`http://${host}/metrics`, `http://${host}`), 200);
    assertEquals(await status(`http://${host}/drain`, "http://evil.example", "POST"), 403);
    assertEquals(await status(`http://${host}/drain`, "null", "POST"), 403);
  }
  assertEquals(await status("http://evil.example/metrics"), 403);
  assertEquals(await status("http://127.0.0.1.evil.example/"), 403);
});

test("adminHandler() says what it has not, and what it cannot", async () => {
  const ask = asker({ addresses: tableOf() });
  const gone = await ask("/nothing");
  assertEquals([gone.status, await gone.json()], [
    404,
    { error: "Cannot answer: there is nothing here" },
  ]);
  for (
    const [path, method, allow] of [
      ["/", "POST", "GET, HEAD"],
      ["/drain", "GET", "POST"],
      ["/addresses/rests", "PUT", "GET, HEAD, POST, DELETE"],
    ] as const
  ) {
    const refused = await ask(path, { method });
    assertEquals([refused.status, refused.headers.get("allow")], [405, allow]);
    await refused.json();
  }
  assertEquals((await asker({})("/addresses/rests")).status, 404);
  const head = await ask("/metrics", { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
});

test("adminHandler() shows pools, addresses and downloads as JSON and as metrics", async () => {
  const transport = memoryTransport({ host: { files: new MemoryFiles({}) } });
  const listener = await transport.listen({ port: 7000 });
  const one = new SocketPool({ transport, target: listener.address, maxSize: 2 });
  const other = new SocketPool({ transport, target: { hostname: 'a"b\\c', port: 1 }, maxSize: 1 });
  const manager = new DownloadManager({ root: "/root", transport });
  const addresses = tableOf();
  const lease = await one.acquire();
  const descriptor = await addresses.create();
  addresses.ban("127.0.0.3");
  const ask = asker({ pool: { one, other }, addresses, manager });
  const state = await (await ask("/")).json();
  assertEquals([state.drain, state.notReady], ["no", []]);
  assertEquals([state.pools.one.maxSize, state.pools.one.leased], [2, 1]);
  assertEquals(state.addresses.rests, [
    { localAddress: "127.0.0.3", target: "*", endsInMs: null, why: "banned" },
  ]);
  assertEquals([state.downloads.active, state.downloads.list], [0, []]);
  const metrics = await ask("/metrics");
  assertEquals(metrics.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const lines = (await metrics.text()).split("\n");
  for (
    const line of [
      "# HELP jackfield_pool_sockets Sockets of the pool, by state.",
      "# TYPE jackfield_pool_sockets gauge",
      'jackfield_pool_sockets{pool="one",state="leased"} 1',
      'jackfield_pool_sockets{pool="other",state="leased"} 0',
      'jackfield_pool_target_sockets{pool="other",target="a\\"b\\\\c:1",state="idle"} 0',
      'jackfield_pool_target_health{pool="one",target="127.0.0.1:7000",health="up"} 1',
      'jackfield_addresses{state="leased"} 1',
      'jackfield_address_rests{why="banned"} 1',
      "# TYPE jackfield_downloads_finished_total counter",
      "jackfield_downloads_finished_total 0",
      "jackfield_ready 1",
    ]
  ) assert(lines.includes(line), `${line}\nis not among\n${lines.join("\n")}`);
  lease.release();
  await addresses.close(descriptor);
  await Promise.all([one.close(), other.close(), manager.close()]);
  await listener.close();
});

test("adminHandler() gives metrics that can be read: every sample has a type, and no name twice", async () => {
  const transport = memoryTransport({ host: { files: new MemoryFiles({}) } });
  const pool = new SocketPool({ transport, target: { hostname: "a", port: 1 }, maxSize: 1 });
  const manager = new DownloadManager({ root: "/root", transport });
  const text = await (await asker({ pool, addresses: tableOf(), manager })("/metrics")).text();
  assert(text.endsWith("\n"));
  const types = new Map<string, string>();
  const samples = new Set<string>();
  for (const line of text.trimEnd().split("\n")) {
    const type = /^# TYPE (\S+) (gauge|counter)$/.exec(line);
    if (type !== null) {
      assert(!types.has(type[1]!), line);
      types.set(type[1]!, type[2]!);
    } else if (!line.startsWith("# HELP ")) {
      const sample = /^([a-z_]+)(\{([a-z]+="[^"]*",?)+\})? -?\d+$/.exec(line);
      assert(sample !== null, line);
      const counts = types.get(sample[1]!) === "counter";
      assertEquals(sample[1]!.endsWith("_total"), counts, line);
      assert(types.has(sample[1]!) && !samples.has(line), line);
      samples.add(line);
    }
  }
  assert(samples.has('jackfield_pool_sockets{state="idle"} 0'));
  await Promise.all([pool.close(), manager.close()]);
});

test("adminHandler() shows what a server counts besides, and numbers without end", async () => {
  const transport = memoryTransport({ host: { files: new MemoryFiles({}) } });
  const manager = new DownloadManager({ root: "/root", transport });
  const pool = new SocketPool({ transport, target: { hostname: "a", port: 1 }, maxSize: 1 });
  const ask = asker({
    manager: {
      downloads: () => [],
      close: () => Promise.resolve(),
      stats: () => ({
        ...manager.stats(),
        connections: 7,
        descriptors: { used: 20, limit: 1024 },
        generations: 2,
      }),
    },
    pool: { maxSize: Infinity, stats: () => pool.stats(), close: () => pool.close() },
  });
  const lines = (await (await ask("/metrics")).text()).split("\n");
  for (
    const line of [
      "jackfield_download_connections 7",
      "jackfield_download_descriptors 20",
      "jackfield_download_max_descriptors 1024",
      "jackfield_download_generations 2",
      "jackfield_pool_max_sockets +Inf",
    ]
  ) assert(lines.includes(line), line);
  await Promise.all([manager.close(), pool.close()]);
});

test("adminHandler() is not ready while callers wait for a full pool", async () => {
  const transport = memoryTransport();
  const listener = await transport.listen({ port: 7000 });
  const pool = new SocketPool({ transport, target: listener.address, maxSize: 1 });
  const ask = asker({ pool: { main: pool } });
  const lease = await pool.acquire();
  assertEquals((await ask("/ready")).status, 200);
  const waiting = pool.acquire();
  const answer = await ask("/ready");
  assertEquals(answer.status, 503);
  assertEquals(await answer.json(), { ready: false, notReady: ["pool main is used up"] });
  assertEquals((await ask("/health")).status, 200);
  lease.release();
  (await waiting).release();
  assertEquals((await ask("/ready")).status, 200);
  await pool.close();
  await listener.close();
});

test("adminHandler() lets addresses rest, bans them, and ends that", async () => {
  const addresses = tableOf();
  const ask = asker({ addresses });
  const post = (body: unknown) =>
    ask("/addresses/rests", {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const rest = await post({ address: "127.0.0.2", target: "a.example:80", forMs: 60_000 });
  assertEquals(rest.status, 201);
  assertEquals(await rest.json(), {
    rests: [
      { localAddress: "127.0.0.2", target: "a.example:80", endsInMs: 60_000, why: "asked" },
    ],
  });
  assertEquals((await post({ address: "127.0.0.3" })).status, 201);
  assertEquals(addresses.state().rests[1]!.why, "banned");
  for (
    const bad of [
      "",
      "null",
      "{",
      "x".repeat(70_000),
      {},
      { address: 1 },
      { address: "a.example" },
      { address: "127.0.0.2", forMs: "1" },
      { address: "127.0.0.2", forMs: 0 },
      { address: "127.0.0.2", target: 1 },
    ]
  ) assertEquals((await post(bad)).status, 400, JSON.stringify(bad));
  const lift = (query: string) => ask(`/addresses/rests?${query}`, { method: "DELETE" });
  assertEquals((await lift("")).status, 400);
  assertEquals((await lift("address=a.example")).status, 400);
  assertEquals((await lift("address=127.0.0.2")).status, 404); // It rests for one target only.
  assertEquals((await lift("address=127.0.0.2&target=a.example:80")).status, 200);
  assertEquals((await lift("address=127.0.0.3")).status, 200);
  assertEquals(await (await ask("/addresses/rests")).json(), { rests: [] });
});

test("adminHandler() drains once, the manager before the pools", async () => {
  const transport = memoryTransport({ host: { files: new MemoryFiles({}) } });
  const listener = await transport.listen({ port: 7000 });
  const pool = new SocketPool({ transport, target: listener.address, maxSize: 1 });
  const manager = new DownloadManager({ root: "/root", transport });
  const ask = asker({ pool, manager });
  const lease = await pool.acquire();
  assertEquals(await (await ask("/drain", { method: "POST" })).json(), { drain: "draining" });
  assertEquals((await ask("/drain", { method: "POST" })).status, 202);
  assertEquals(await (await ask("/ready")).json(), { ready: false, notReady: ["it drains"] });
  await new Promise((done) => setTimeout(done));
  assertEquals((await (await ask("/")).json()).drain, "draining"); // A task has a socket.
  lease.release();
  await pool.close();
  await new Promise((done) => setTimeout(done));
  assertEquals((await (await ask("/")).json()).drain, "drained");
  await listener.close();
});

test("adminHandler() drains as it is told, and tells of what fails", async () => {
  const errors: unknown[] = [];
  let times = 0;
  const ask = asker({
    drain: () => {
      times++;
      return Promise.reject(new Error("no"));
    },
    onError: (error) => errors.push((error as Error).message),
  });
  await ask("/drain", { method: "POST" });
  await ask("/drain", { method: "POST" });
  assertEquals((await (await ask("/")).json()).drain, "failed");
  assertEquals([times, errors], [1, ["no"]]);
});

test("adminHandler() gives browsers a page without figures, which needs no token", async () => {
  const handler = adminHandler({ token: TOKEN, pool: {} });
  const browse = (url: string, accept: string) =>
    handler(new Request(url, { headers: { accept } }));
  const page = await browse("http://x/", "text/html,application/xhtml+xml,*/*;q=0.8");
  assertEquals([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  const text = await page.text();
  const policy = page.headers.get("content-security-policy")!;
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)![1]!;
  assert(policy.includes("default-src 'none'"));
  assertEquals(text.split(`nonce="${nonce}"`).length, 3); // one style, one script
  assert(!/(src|href)="(?!data:,)/.test(text), "it loads nothing");
  const next = await browse("http://x/", "text/html");
  assert(!(await next.text()).includes(nonce));
  assertEquals((await browse("http://x/", "application/json")).status, 401);
  assertEquals((await browse("http://x/metrics", "text/html")).status, 401);
  const local = adminHandler({ loopback: true });
  const far = await local(
    new Request("http://evil.example/", { headers: { accept: "text/html" } }),
  );
  assertEquals(far.status, 403);
});
