// A Redis client is a pool with sessions: `prepare` makes one for each connection, `check` pings it.
//   redis-server --port 6379 &
//   deno run --allow-net examples/redis_pool.ts 6379
import process from "node:process";
import { isJackfieldError, SocketPool } from "../mod.ts";
import { RedisSession } from "./redis_session.ts";

const port = Number(process.argv[2] ?? 6379);
const pool = new SocketPool({
  target: { hostname: "127.0.0.1", port },
  maxSize: 4,
  prepare: (socket) => new RedisSession(socket),
  check: async (_socket, { session }) => await session.ask("PING") === "PONG",
});

try {
  console.log(await pool.use(({ session }) => session.ask("SET", "greeting", "hello"))); // OK
  console.log(await pool.use(({ session }) => session.ask("GET", "greeting"))); // hello

  // A hundred tasks share four connections, and no increment is lost.
  await pool.use(({ session }) => session.ask("SET", "counter", "0"));
  const increment = () => pool.use(({ session }) => session.ask("INCR", "counter"));
  const counts = await Promise.all(Array.from({ length: 100 }, increment));
  console.log("highest count:", Math.max(...counts.map(Number))); // 100
  console.log("connections:", pool.stats().size); // 4

  // One task may send several commands at once.
  const commands = [["SET", "words", "two words"], ["GET", "words"], ["GET", "nobody"]];
  const replies = await pool.use(({ session }) => session.pipeline(...commands));
  console.log(JSON.stringify(replies)); // ["OK","two words",null]
} catch (error) {
  if (!isJackfieldError(error, "CONNECT_FAILED")) throw error;
  console.log(`No Redis: "apt-get install redis-server; redis-server --port ${port} &" helps`);
  process.exitCode = 1;
}
await pool.close();
