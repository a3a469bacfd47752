// A server of node:http reads requests and hands the sockets to a manager in a process of its own.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { fromSocket } from "../src/adapters/node/mod.ts";
import { DownloadManager } from "../mod.ts";

const root = fileURLToPath(new URL("files", import.meta.url));
const manager = new DownloadManager({ root, placement: "process" });

const server = createServer((request, response) => {
  const { socket, method, headers, url: target = "/" } = request;
  const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  response.detachSocket(socket); // The server has no part in it any more.
  void manager.take(fromSocket(socket), { method, target, fields, keepAlive: false });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");

const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/numbers.txt`;
const response = await fetch(url, { headers: { range: "bytes=8-14" } });
console.log(response.status, await response.text()); // 206 0000001
server.close();
await manager.close();
