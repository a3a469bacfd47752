import { fork } from "node:child_process";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { HandoffChannel, type Socket } from "../../src/core.ts";
import { isBun } from "../../src/adapters/bun/runtime.ts";
import { isDeno } from "../../src/adapters/deno/runtime.ts";
import { openLibc } from "../../src/native/libc.ts";
import { systemTransport } from "../../src/system_transport.ts";

/** Hands connections to another owner, in one way or the other. */
export interface Side {
  /** Connections that are made before the clock starts: each a client and how to hand it over. */
  connect(count: number): Promise<{ client: Socket; handOver(): void | Promise<void> }[]>;
  /** Stop everything. */
  end(): Promise<void>;
}

const transport = systemTransport();

/** Ours. */
export async function ourSide(way: "process" | "thread"): Promise<Side> {
  const owner = transport.host[way === "thread" ? "workers" : "processes"]!.start("bench", {
    url: new URL("our_owner.ts", import.meta.url),
  });
  const descriptors = way === "thread" ? await transport.host.descriptors!() : undefined;
  const ready = Promise.withResolvers<unknown>();
  const channel = new HandoffChannel(owner, { descriptors, onMessage: ready.resolve });
  await ready.promise;
  const listener = await transport.listen({ transferable: true, backlog: 512 });
  return {
    async connect(count) {
      const made = [];
      for (let at = 0; at < count; at++) {
        const [client, socket] = await Promise.all([
          transport.connect(listener.address),
          listener.accept(),
        ]);
        made.push({ client, handOver: () => channel.send(socket) });
      }
      return made;
    },
    async end() {
      await listener.close();
      await owner.terminate();
    },
  };
}

/** The runtime's own primitive, without anything around it. */
export async function bareSide(way: "process" | "thread"): Promise<Side> {
  const url = new URL("bare_owner.ts", import.meta.url);
  const send = way === "process" ? await bareProcess(url) : await bareThread(url);
  const accepted: net.Socket[] = [];
  const waiting: ((socket: net.Socket) => void)[] = [];
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  server.on("connection", (socket) => {
    const next = waiting.shift();
    if (next === undefined) accepted.push(socket);
    else next(socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as net.AddressInfo;
  return {
    async connect(count) {
      const made = [];
      for (let at = 0; at < count; at++) {
        const [client, socket] = await Promise.all([
          transport.connect({ hostname: "127.0.0.1", port }),
          accepted.shift() ?? new Promise<net.Socket>((done) => waiting.push(done)),
        ]);
        made.push({ client, handOver: () => send.socket(socket) });
      }
      return made;
    },
    async end() {
      await new Promise<void>((done) => void server.close(() => done()));
      send.end();
    },
  };
}

interface Sender {
  socket(socket: net.Socket): void;
  end(): void;
}

async function bareProcess(url: URL): Promise<Sender> {
  const child = fork(isDeno() ? url.href : fileURLToPath(url));
  await new Promise((done) => child.once("message", done));
  return { socket: (socket) => void child.send("take", socket), end: () => void child.kill() };
}

async function bareThread(url: URL): Promise<Sender> {
  const worker = new Worker(url.href, { type: "module" });
  await new Promise((done) => worker.addEventListener("message", done, { once: true }));
  const libc = await openLibc();
  return {
    socket(socket) {
      const handle = (socket as unknown as { _handle: { fd: number; fdForIpc(): number } })._handle;
      const fd = isBun() ? libc.fcntl(handle.fd, 1030, 0) : handle.fdForIpc();
      worker.postMessage({ fd });
      socket.destroy();
    },
    end: () => worker.terminate(),
  };
}
