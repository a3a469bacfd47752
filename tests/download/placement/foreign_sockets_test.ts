// Sockets that other servers have accepted, taken over by managers here and elsewhere.
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { assertEquals } from "@std/assert";
import { DownloadManager, type Socket, systemTransport } from "../../../mod.ts";
import { fromBunSocket, takeable } from "../../../src/adapters/bun/mod.ts";
import { type DenoConn, fromConn } from "../../../src/adapters/deno/mod.ts";
import { fromSocket } from "../../../src/adapters/node/mod.ts";
import { handOff, HeadReader, parseRequestHead } from "../../../src/core.ts";
import { runtime, test } from "../../harness.ts";
import { eventually } from "../../transport/tools.ts";
import { Client, Folder } from "../tools.ts";

const hasThreads = runtime !== "node";
// Opened once in a program, and kept.
if (hasThreads) await systemTransport().host.descriptors?.();

const PLACEMENTS = hasThreads
  ? ["inline", "thread", "process"] as const
  : ["inline", "process"] as const;

/** A server that is not ours. */
interface Foreign {
  readonly port: number;
  close(): void;
}

/** Reads requests and hands them over, as a front does. */
async function serve(manager: DownloadManager, accepted: Socket): Promise<void> {
  for (let socket: Socket | undefined = accepted; socket !== undefined;) {
    const reader = new HeadReader(socket, "HTTP_BAD_REQUEST");
    const head = await reader.next().catch(() => undefined);
    if (head === undefined) return await socket.close();
    const request = { ...parseRequestHead(head), unread: reader.unread };
    ({ socket } = await manager.take(socket, request));
  }
}

/** Several requests on one connection, among them two at once, and the last one. */
async function tryAll(
  placement: typeof PLACEMENTS[number],
  listen: (take: (socket: Socket) => void, manager: DownloadManager) => Foreign | Promise<Foreign>,
): Promise<void> {
  const folder = new Folder();
  const bytes = folder.fill("a.bin", 400_000);
  const manager = new DownloadManager({ root: folder.path, placement });
  let [accepted, served] = [0, 0];
  const server = await listen((socket) => {
    accepted++;
    serve(manager, socket).then(() => served++, () => served++);
  }, manager);
  const client = await Client.connect({ hostname: "127.0.0.1", port: server.port });
  try {
    assertEquals((await client.request("GET /a.bin")).body, bytes);
    await client.send("GET /a.bin", { Range: "bytes=-9" });
    await client.send("GET /none");
    assertEquals((await client.answer()).body, bytes.slice(-9));
    assertEquals((await client.answer()).status, 404);
    const last = await client.request("GET /a.bin", { Connection: "close" });
    assertEquals([last.status, last.body], [200, bytes]);
    assertEquals((await client.rest()).byteLength, 0);
    await client.socket.close();
    await eventually(() => served === 1, () => "the front has seen the end");
    assertEquals([accepted, manager.stats().finished], [1, 4]);
  } finally {
    client.socket.abort();
    server.close();
    await manager.close();
    folder.remove();
  }
}

/** The callbacks of `Bun.listen`, as far as they are used. */
interface BunLike {
  listen(options: object): { readonly port: number; stop(): void };
}

/** What is used of Deno. */
interface DenoLike {
  listen(options: { hostname: string; port: number }): AsyncIterable<DenoConn> & {
    readonly addr: { readonly port: number };
    close(): void;
  };
}

const { Bun: bun, Deno: deno } = globalThis as unknown as { Bun: BunLike; Deno: DenoLike };

for (const placement of PLACEMENTS) {
  test(`DownloadManager.take() serves a socket of node:net, ${placement}`, () =>
    tryAll(placement, async (take) => {
      const server = createServer({ allowHalfOpen: true }, (socket) => take(fromSocket(socket)));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      return { port, close: () => void server.close() };
    }));

  test(`DownloadManager.take() serves a socket that node:http let go of, ${placement}`, async () => {
    const folder = new Folder();
    const bytes = folder.fill("a.bin", 400_000);
    const manager = new DownloadManager({ root: folder.path, placement });
    const server = createHttpServer((request, response) => {
      if (request.url === "/own") return void response.end("the server's own");
      const { socket, method, headers, url = "/" } = request;
      const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
      response.detachSocket(socket);
      void manager.take(fromSocket(socket), { target: url, method, fields, keepAlive: false });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = await Client.connect({
      hostname: "127.0.0.1",
      port: (server.address() as AddressInfo).port,
    });
    try {
      await client.send("GET /own");
      const own = await client.answerHead();
      assertEquals(own.status, 200);
      await client.take(Number(own.fields.get("content-length")));
      const answer = await client.request("GET /a.bin");
      assertEquals([answer.status, answer.body], [200, bytes]);
      assertEquals((await client.rest()).byteLength, 0);
    } finally {
      client.socket.abort();
      server.close();
      await manager.close();
      folder.remove();
    }
  });

  test(`DownloadManager.take() serves a Deno.Conn, ${placement}`, {
    skip: runtime === "deno" ? false : "needs Deno",
  }, () =>
    tryAll(placement, (take) => {
      const listener = deno.listen({ hostname: "127.0.0.1", port: 0 });
      void (async () => {
        for await (const conn of listener) take(fromConn(conn));
      })();
      return { port: listener.addr.port, close: () => listener.close() };
    }));

  test(`DownloadManager.take() serves a callback socket of Bun, ${placement}`, {
    skip: runtime === "bun" ? false : "needs Bun",
  }, () => {
    const heard: string[] = [];
    return tryAll(placement, (take) => {
      const listener = bun.listen({
        hostname: "127.0.0.1",
        port: 0,
        allowHalfOpen: true,
        socket: takeable({
          open: () => heard.push("open"),
          data(socket: object, bytes: Uint8Array) {
            heard.push("data");
            take(handOff(fromBunSocket(socket), bytes));
          },
          close: () => heard.push("close"),
        }),
      });
      return { port: listener.port, close: () => listener.stop() };
    }).then(() => {
      assertEquals(heard, ["open", "data"]); // and nothing more since it was taken
    });
  });
}
