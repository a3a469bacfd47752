// A server of one's own: it accepts, reads the request, and gives the socket to a download manager.
//   PLACEMENT=process bun examples/download_server.ts     or thread (Deno and Bun), or inline
import process from "node:process";
import { fileURLToPath } from "node:url";
import { HeadReader, parseRequestHead } from "../src/core.ts";
import { DownloadManager, type Placement, type Socket, systemTransport } from "../mod.ts";

const placement = (process.env.PLACEMENT ?? "inline") as Placement;
const root = fileURLToPath(new URL("files", import.meta.url));
const manager = new DownloadManager({ root, placement });
const listener = await systemTransport().listen({ transferable: placement !== "inline" });

async function serve(socket: Socket | undefined): Promise<void> {
  while (socket !== undefined) {
    const reader = new HeadReader(socket, "HTTP_BAD_REQUEST");
    const head = await reader.next();
    if (head === undefined) return await socket.close(); // The client has no more requests.
    const request = { ...parseRequestHead(head), unread: reader.unread };
    ({ socket } = await manager.take(socket, request)); // Gone now, and back after the answer.
  }
}

const accepting = (async () => {
  for await (const socket of listener) serve(socket).catch(() => socket.abort());
})();

const url = `http://127.0.0.1:${listener.address.port}/numbers.txt`;
const response = await fetch(url, { headers: { range: "bytes=8-14", connection: "close" } });
console.log(response.status, await response.text()); // 206 0000001
await listener.close();
await accepting;
await manager.close();
