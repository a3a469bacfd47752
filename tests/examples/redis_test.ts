// The example of a pool with sessions, against a real redis-server: what it does is read back over a
// connection of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { RedisSession, type Reply } from "../../examples/redis_session.ts";
import { SocketPool, type SocketPoolOptions, systemTransport } from "../../mod.ts";
import { runtime, test } from "../harness.ts";
import { freePort, noRedis, withRedis } from "./redis_server.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/redis_pool.ts", import.meta.url));
const options = { skip: noRedis };

/** Run the example in this runtime; what it printed, by line. */
async function runExample(port: number): Promise<{ lines: string[]; status: number | null }> {
  const flags = runtime === "deno" ? ["run", "--no-check", "--allow-net"] : [];
  const child = spawn(process.execPath, [...flags, EXAMPLE, String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
  const [status] = await once(child, "close") as [number | null];
  return { lines: output.trimEnd().split("\n"), status };
}

/** Ask over a connection beside the pool. */
async function beside<T>(port: number, ask: (session: RedisSession) => Promise<T>): Promise<T> {
  const socket = await systemTransport().connect({ hostname: "127.0.0.1", port });
  try {
    return await ask(new RedisSession(socket));
  } finally {
    await socket.close();
  }
}

/** The pool of the example. */
function redisPool(
  port: number,
  more: Partial<SocketPoolOptions<RedisSession>> = {},
): SocketPool<RedisSession> {
  return new SocketPool<RedisSession>({
    transport: systemTransport(),
    target: { hostname: "127.0.0.1", port },
    maxSize: 4,
    prepare: (socket) => new RedisSession(socket),
    check: async (_socket, { session }) => await session.ask("PING") === "PONG",
    ...more,
  });
}

/** One of the numbers that INFO gives. */
async function info(session: RedisSession, section: string, field: string): Promise<number> {
  const text = String(await session.ask("INFO", section));
  return Number(text.match(new RegExp(`^${field}[:=](?:calls=)?(\\d+)`, "m"))?.[1] ?? 0);
}

test(
  "example redis_pool.ts runs against a Redis and prints what it says",
  options,
  () =>
    withRedis(async (port) => {
      const { lines, status } = await runExample(port);
      const promised = [
        ...readFileSync(EXAMPLE, "utf8").matchAll(/^.*console\.log\(.*; \/\/ (.+)$/gm),
      ]
        .map((match) => match[1]!);
      assertEquals(lines.map((line) => line.replace(/^[a-z ]+: /, "")), promised);
      assertEquals(status, 0);
      await beside(port, async (session) => {
        assertEquals(await session.pipeline(["GET", "greeting"], ["GET", "counter"]), [
          "hello",
          "100",
        ]);
        // The pool's four and this one: nobody else ever came.
        assertEquals(await info(session, "stats", "total_connections_received"), 5);
      });
    }),
);

test("example redis_pool.ts says in one line how to get a Redis when none answers", async () => {
  const port = await freePort();
  const { lines, status } = await runExample(port);
  assertEquals(lines, [
    `No Redis: "apt-get install redis-server; redis-server --port ${port} &" helps`,
  ]);
  assertEquals(status, 1);
});

test(
  "RedisSession: replies of every kind come back in order and unharmed",
  options,
  () =>
    withRedis((port) =>
      beside(port, async (session) => {
        const large = "löß\r\n".repeat(40_000);
        const replies = await session.pipeline(
          ["SET", "large", large],
          ["GET", "large"],
          ["GET", "nobody"],
          ["INCR", "large"],
          ["RPUSH", "list", "", "+a", "$b"],
          ["LRANGE", "list", "0", "-1"],
          ["PING"],
        );
        const [failed] = replies.splice(3, 1);
        assert(failed instanceof Error && failed.message.startsWith("ERR value is not an integer"));
        const expected: Reply[] = ["OK", large, null, 3, ["", "+a", "$b"], "PONG"];
        assertEquals(replies, expected);
        await assertRejects(() => session.ask("INCR", "list"), Error, "WRONGTYPE");
        assertEquals(await session.ask("PING"), "PONG");
      })
    ),
);

test(
  "SocketPool on a Redis holds at most maxSize connections, as CLIENT LIST tells",
  options,
  () =>
    withRedis(async (port) => {
      const pool = redisPool(port);
      let most = 0;
      const task = (turn: number) =>
        pool.use(async ({ session }) => {
          const [, clients] = await session.pipeline(["SET", `key ${turn}`, `${turn}`], [
            "CLIENT",
            "LIST",
          ]);
          most = Math.max(most, String(clients).trimEnd().split("\n").length);
        });
      await Promise.all(Array.from({ length: 100 }, (_, turn) => task(turn)));
      assertEquals(most, 4);
      assertEquals(pool.stats().size, 4);
      await beside(port, async (session) => {
        const keys = Array.from({ length: 100 }, (_, turn) => `key ${turn}`);
        assertEquals(await session.ask("MGET", ...keys), keys.map((key) => key.slice(4)));
        assertEquals(await info(session, "stats", "total_connections_received"), 5);
        await pool.close();
        for (let left = 0; left !== 1;) left = await info(session, "clients", "connected_clients");
      });
    }),
);

test(
  "SocketPool on a Redis replaces a connection that CLIENT KILL ended",
  options,
  () =>
    withRedis(async (port) => {
      const pool = redisPool(port, { maxSize: 1, checkAfterMs: 0 });
      const id = () => pool.use(({ session }) => session.ask("CLIENT", "ID"));
      const first = await id();
      assertEquals(await id(), first);
      await beside(port, async (session) => {
        assertEquals(await session.ask("CLIENT", "KILL", "ID", String(first)), 1);
      });
      // No task sees the dead one, whether the end of it has arrived by now or the check finds it.
      const second = await id();
      assert(Number(second) > Number(first), `${second} came after ${first}`);
      assertEquals(pool.stats().size, 1);
      await pool.close();
    }),
);

test(
  "SocketPool on a Redis replaces a connection that is killed while it is leased",
  options,
  () =>
    withRedis(async (port) => {
      const pool = redisPool(port, { maxSize: 1 });
      const lost = pool.use(async ({ session }) => {
        const id = String(await session.ask("CLIENT", "ID"));
        await beside(port, (other) => other.ask("CLIENT", "KILL", "ID", id));
        await session.ask("PING");
      });
      await assertRejects(() => lost);
      assertEquals(await pool.use(({ session }) => session.ask("PING")), "PONG");
      assertEquals(pool.stats().size, 1);
      await pool.close();
    }),
);

test(
  "SocketPool on a Redis asks `check` before each lease with checkAfterMs: 0",
  options,
  () =>
    withRedis(async (port) => {
      const pool = redisPool(port, { maxSize: 1, checkAfterMs: 0 });
      for (let turn = 0; turn < 5; turn++) {
        await pool.use(({ session }) => session.ask("INCR", "turns"));
      }
      await pool.close();
      await beside(port, async (session) => {
        assertEquals(await session.ask("GET", "turns"), "5");
        // Not before the first lease: it was connected for that.
        assertEquals(await info(session, "commandstats", "cmdstat_ping"), 4);
      });
    }),
);
