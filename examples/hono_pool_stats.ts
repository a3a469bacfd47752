// A Hono app that asks a line-based service through a pool, and shows what the pool holds.
import { Hono } from "hono";
import { SocketPool, systemTransport } from "../mod.ts";

const listener = await systemTransport().listen({ port: 0 });
const service = (async () => {
  for await (const socket of listener) void socket.readable.pipeTo(socket.writable).catch(() => {});
})();
const pool = new SocketPool({ target: listener.address, maxSize: 2 });

const app = new Hono()
  .get("/echo/:word", async (context) => {
    const word = context.req.param("word");
    const echoed = await pool.use(async ({ socket }) => {
      await socket.write(new TextEncoder().encode(word));
      const buffer = new Uint8Array(1024);
      const count = await socket.read(buffer) ?? 0;
      return new TextDecoder().decode(buffer.subarray(0, count));
    });
    return context.text(echoed);
  })
  .get("/pool", (context) => context.json(pool.stats()));

console.log(await (await app.request("/echo/hello")).text()); // hello
console.log(await (await app.request("/pool")).text()); // {"size":1,"idle":1,…}

await pool.close();
await listener.close();
await service;
