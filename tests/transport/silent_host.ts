import { spawn } from "node:child_process";
import process from "node:process";
import { connect, type Socket } from "node:net";

/** A port that takes no more connections and refuses none: connecting to it hangs. */
export interface SilentPort {
  readonly port: number;
  end(): Promise<void>;
}

const SCRIPT = `
const server = require("node:net").createServer();
server.listen({ port: 0, host: process.argv[1], backlog: 1 }, () => {
  console.log(server.address().port);
});
setTimeout(() => process.exit(), 60_000);
`;

/**
 * A stopped process whose accept queue is full: the kernel drops what comes then (listen(2)).
 *
 * It runs in Node, which every machine has that got this far, and ends by itself after a minute.
 */
export async function silentPort(hostname = "127.0.0.1"): Promise<SilentPort> {
  const child = spawn("node", ["-e", SCRIPT, hostname], { stdio: ["ignore", "pipe", "ignore"] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.stdout.once(
      "data",
      (text: Uint8Array) => resolve(Number(new TextDecoder().decode(text))),
    );
  });
  process.kill(child.pid!, "SIGSTOP");
  const fillers: Socket[] = [];
  for (let filled = true; filled;) {
    filled = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: hostname });
      fillers.push(socket);
      const timer = setTimeout(() => resolve(false), 300);
      socket.on("error", () => {});
      socket.once("connect", () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }
  return {
    port,
    async end() {
      const closed = Promise.all(
        fillers.map((socket) => new Promise((resolve) => socket.once("close", resolve))),
      );
      for (const socket of fillers) socket.destroy();
      const exited = new Promise((resolve) => child.once("close", resolve));
      process.kill(child.pid!, "SIGKILL");
      await Promise.all([exited, closed]);
    },
  };
}
