// A server of Deno.listen hands each connection to a download manager and goes on accepting.
import { HeadReader, parseRequestHead } from "../src/core.ts";
import { fromConn } from "../src/adapters/deno/mod.ts";
import { DownloadManager, type Socket } from "../mod.ts";

const manager = new DownloadManager({ root: new URL("files", import.meta.url).pathname });
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

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
  for await (const conn of listener) void serve(fromConn(conn));
})();

const url = `http://127.0.0.1:${listener.addr.port}/numbers.txt`;
const response = await fetch(url, { headers: { range: "bytes=8-14", connection: "close" } });
console.log(response.status, await response.text()); // 206 0000001
listener.close();
await accepting;
await manager.close();
