// The far end of the address bench: a plain echo of `node:net`, in a process and with descriptors of
// its own. Prints its port, ends with its standard input.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import process from "node:process";

let connections = 0;
const server = createServer((socket) => {
  connections++;
  socket.on("error", () => {}).on("close", () => connections--);
  socket.on("data", (chunk) => socket.write(chunk));
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ port }));
});
// Whoever asks is told how many connections stand.
process.stdin.on("data", () => console.log(JSON.stringify({ connections })));
process.stdin.on("end", () => process.exit(0));
