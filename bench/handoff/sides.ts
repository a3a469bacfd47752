import { fork } from "node:child_process";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { HandoffChannel, type Socket } from "../../src/core.ts";
import { isBun } from "../../src/adapters/bun/runtime.ts";
import { isDeno } from "../../src/adapters/deno/runtime.ts";
import { openLibc } from "../../src/native/libc.ts";
import { systemTransport } from "../../src/system_transport.ts";
import type { BareMessage } from "./bare_owner.ts";

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

/**
 * The runtime's own primitive, without anything around it. With `answered` it keeps its copy until the
 * other end has said that it has the connection, which is the least that loses nothing.
 */
export async function bareSide(way: "process" | "thread", answered: boolean): Promise<Side> {
  const url = new URL("bare_owner.ts", import.meta.url);
  const sender = way === "process" ? await bareProcess(url) : await bareThread(url);
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
        made.push({
          client,
          handOver: () => answered ? sendAndWait(sender, socket) : sender.send(socket),
        });
      }
      return made;
    },
    async end() {
      await new Promise<void>((done) => void server.close(() => done()));
      sender.end();
    },
  };
}

/** Sends a copy; without a number the one that is here is closed at once. */
interface Sender {
  /** Numbers that wait for their answers. */
  readonly waiting: Map<number, () => void>;
  send(socket: net.Socket, answer?: number): void;
  end(): void;
}

let lastNumber = 0;

function sendAndWait(sender: Sender, socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    const number = ++lastNumber;
    sender.waiting.set(number, () => {
      sender.waiting.delete(number);
      socket.destroy();
      resolve();
    });
    sender.send(socket, number);
  });
}

async function bareProcess(url: URL): Promise<Sender> {
  const child = fork(isDeno() ? url.href : fileURLToPath(url));
  const waiting = new Map<number, () => void>();
  await new Promise((done) => child.once("message", done));
  child.on("message", (number) => waiting.get(number as number)?.());
  return {
    waiting,
    send(socket, answer) {
      const keepOpen = answer !== undefined;
      child.send({ answer } satisfies BareMessage, socket, { keepOpen });
    },
    end: () => void child.kill(),
  };
}

async function bareThread(url: URL): Promise<Sender> {
  const worker = new Worker(url.href, { type: "module" });
  const waiting = new Map<number, () => void>();
  await new Promise((done) => worker.addEventListener("message", done, { once: true }));
  worker.addEventListener("message", ({ data }) => waiting.get(data)?.());
  const libc = await openLibc();
  return {
    waiting,
    send(socket, answer) {
      const handle = (socket as unknown as { _handle: { fd: number; fdForIpc(): number } })._handle;
      const fd = isBun() ? libc.fcntl(handle.fd, 1030, 0) : handle.fdForIpc();
      worker.postMessage({ fd, answer } satisfies BareMessage);
      if (answer === undefined) socket.destroy();
    },
    end: () => worker.terminate(),
  };
}
