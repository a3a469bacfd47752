// A server of Bun.listen hands its callback sockets to a manager in a thread of its own.
import { handOff, HeadReader, parseRequestHead } from "../src/core.ts";
import { fromBunSocket, takeable } from "../src/adapters/bun/mod.ts";
import { DownloadManager, type Socket } from "../mod.ts";

const root = new URL("files", import.meta.url).pathname;
const manager = new DownloadManager({ root, placement: "thread" });
async function serve(socket: Socket | undefined): Promise<void> {
  while (socket !== undefined) {
    const reader = new HeadReader(socket, "HTTP_BAD_REQUEST");
    const head = await reader.next();
    if (head === undefined) return await socket.close(); // The client has no more requests.
    const request = { ...parseRequestHead(head), unread: reader.unread };
    ({ socket } = await manager.take(socket, request)); // Gone now, and back after the answer.
  }
}
const listener = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  allowHalfOpen: true,
  socket: takeable<Bun.SocketHandler>({
    data: (socket, bytes) => void serve(handOff(fromBunSocket(socket), bytes)),
  }),
});
const url = `http://127.0.0.1:${listener.port}/numbers.txt`;
const response = await fetch(url, { headers: { range: "bytes=8-14", connection: "close" } });
console.log(response.status, await response.text()); // 206 0000001
listener.stop();
await manager.close();
