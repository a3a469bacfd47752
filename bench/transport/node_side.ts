// node:net as it is meant to be used: events, and `drain` when `write` says that it is enough.
import { connect as connectNet, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import {
  Budget,
  checkBytes,
  checkEcho,
  type Direction,
  ECHO_BYTES,
  type Limits,
  newMessage,
  type Side,
  WRITE_BYTES,
} from "./side.ts";

const HOSTNAME = "127.0.0.1";

/** `node:net` with callbacks, and nothing around it. */
export function nodeSide(): Side {
  return { name: "node:net with callbacks", echo, bulk, connects };
}

function listen(accepted: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true }, accepted);
    server.once("error", reject);
    server.listen(0, HOSTNAME, () => resolve(server));
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function connect(port: number): Socket {
  return connectNet({ host: HOSTNAME, port, noDelay: true });
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port);
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

async function echo(connections: number, limits: Limits): Promise<number> {
  const server = await listen((socket) => {
    socket.on("data", (chunk) => {
      if (!socket.write(chunk)) socket.pause();
    });
    socket.on("drain", () => socket.resume());
  });
  const sockets: Socket[] = [];
  for (let i = 0; i < connections; i++) sockets.push(await connected(portOf(server)));
  const budget = new Budget(limits);
  await Promise.all(sockets.map((socket) => askAndAnswer(socket, budget)));
  const rate = budget.rate();
  for (const socket of sockets) socket.end();
  server.close();
  return rate;
}

function askAndAnswer(socket: Socket, budget: Budget): Promise<void> {
  return new Promise((resolve, reject) => {
    const message = newMessage();
    let filled = 0;
    const ask = () => {
      if (!budget.take()) return resolve();
      message[0]!++;
      filled = 0;
      socket.write(message);
    };
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      if (filled === 0) checkEcho(chunk[0], message[0]);
      filled += chunk.byteLength;
      if (filled === ECHO_BYTES) ask();
    });
    ask();
  });
}

async function bulk(direction: Direction, limits: Limits): Promise<number> {
  const accepted = Promise.withResolvers<Socket>();
  const server = await listen(accepted.resolve);
  const client = await connected(portOf(server));
  const far = await accepted.promise;
  const [from, to] = direction === "client to server" ? [client, far] : [far, client];
  const budget = new Budget(limits);
  const received = receive(to);
  const sent = send(from, budget);
  checkBytes(await received, await sent);
  const rate = budget.rate(WRITE_BYTES);
  server.close();
  return rate;
}

function send(socket: Socket, budget: Budget): Promise<number> {
  return new Promise((resolve, reject) => {
    const block = new Uint8Array(WRITE_BYTES).fill(7);
    let sent = 0;
    const push = () => {
      while (budget.take()) {
        sent += WRITE_BYTES;
        if (!socket.write(block)) return; // Until `drain`.
      }
      socket.end();
      resolve(sent);
    };
    socket.on("error", reject);
    socket.on("drain", push);
    push();
  });
}

function receive(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0;
    socket.on("error", reject);
    socket.on("data", (chunk) => received += chunk.byteLength);
    socket.on("end", () => resolve(received));
  });
}

async function connects(atOnce: number, limits: Limits): Promise<number> {
  const server = await listen((socket) => {
    socket.resume();
    socket.end();
  });
  const port = portOf(server);
  const budget = new Budget(limits);
  const rate = await new Promise<number>((resolve, reject) => {
    let lanes = atOnce;
    const next = () => {
      if (budget.take()) {
        const socket = connect(port);
        socket.on("error", reject);
        socket.on("close", next);
        socket.resume(); // Without `allowHalfOpen` it closes when the far end has.
      } else if (--lanes === 0) {
        resolve(budget.rate());
      }
    };
    for (let i = 0; i < atOnce; i++) next();
  });
  server.close();
  return rate;
}
