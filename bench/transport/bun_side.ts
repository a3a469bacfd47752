// Bun.listen and Bun.connect as they are meant to be used: shared callbacks, state in `socket.data`,
// what the kernel did not take kept for `drain`. TCP_NODELAY needs no word: Bun sets it on every
// socket.
import {
  bunGlobal,
  type BunHandlers,
  type BunListener,
  type BunSocket,
} from "../../src/adapters/bun/runtime.ts";
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

/** `Bun.listen` and `Bun.connect`, with nothing around them. */
export function bunSide(): Side {
  return { name: "Bun.listen, Bun.connect", echo, bulk, connects };
}

function listen(socket: BunHandlers, data?: () => unknown): BunListener {
  const { open } = socket;
  return bunGlobal().listen({
    hostname: HOSTNAME,
    port: 0,
    socket: {
      ...socket,
      open(accepted) {
        if (data !== undefined) accepted.data = data();
        open?.(accepted);
      },
    },
  });
}

function connect(port: number, socket: BunHandlers, data?: unknown): Promise<BunSocket> {
  return bunGlobal().connect({ hostname: HOSTNAME, port, socket, data });
}

/** What the kernel has not taken yet. */
interface Outbox {
  left: Uint8Array<ArrayBuffer> | undefined;
}

const echoServer: BunHandlers = {
  binaryType: "uint8array",
  data(socket, chunk) {
    const outbox = socket.data as Outbox;
    const bytes = outbox.left === undefined
      ? chunk as Uint8Array<ArrayBuffer>
      : joined(outbox.left, chunk);
    const sent = socket.write(bytes);
    outbox.left = sent < bytes.byteLength ? bytes.subarray(Math.max(sent, 0)) : undefined;
  },
  drain(socket) {
    const outbox = socket.data as Outbox;
    if (outbox.left === undefined) return;
    const sent = socket.write(outbox.left);
    outbox.left = sent < outbox.left.byteLength ? outbox.left.subarray(sent) : undefined;
  },
};

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.byteLength + b.byteLength);
  both.set(a);
  both.set(b, a.byteLength);
  return both;
}

/** One client of the echo load. */
interface Asker {
  readonly message: Uint8Array<ArrayBuffer>;
  filled: number;
}

function echo(connections: number, limits: Limits): Promise<number> {
  const listener = listen(echoServer, (): Outbox => ({ left: undefined }));
  return new Promise((resolve, reject) => {
    const sockets: BunSocket[] = [];
    let budget: Budget;
    let asking = connections;
    const ask = (socket: BunSocket, asker: Asker) => {
      if (budget.take()) {
        asker.message[0]!++;
        asker.filled = 0;
        // 64 bytes always fit: the answer to the ones before has come.
        if (socket.write(asker.message) !== ECHO_BYTES) reject(new Error("short write"));
      } else if (--asking === 0) {
        resolve(budget.rate());
        for (const one of sockets) one.end();
        listener.stop();
      }
    };
    const client: BunHandlers = {
      binaryType: "uint8array",
      data(socket, chunk) {
        const asker = socket.data as Asker;
        if (asker.filled === 0) checkEcho(chunk[0], asker.message[0]);
        asker.filled += chunk.byteLength;
        if (asker.filled === ECHO_BYTES) ask(socket, asker);
      },
      error: (_socket, error) => reject(error),
    };
    const start = async () => {
      for (let i = 0; i < connections; i++) {
        const asker: Asker = { message: newMessage(), filled: 0 };
        sockets.push(await connect(listener.port!, client, asker));
      }
      budget = new Budget(limits);
      for (const socket of sockets) ask(socket, socket.data as Asker);
    };
    start().catch(reject);
  });
}

function bulk(direction: Direction, limits: Limits): Promise<number> {
  const block = new Uint8Array(WRITE_BYTES).fill(7);
  return new Promise((resolve, reject) => {
    let budget: Budget;
    let sent = 0;
    let received = 0;
    let offset = WRITE_BYTES; // Where in the block the next write begins.
    const push = (socket: BunSocket) => {
      for (;;) {
        if (offset === WRITE_BYTES) {
          if (!budget.take()) return void socket.end();
          offset = 0;
        }
        const part = offset === 0 ? block : block.subarray(offset);
        const count = socket.write(part);
        if (count < 0) return reject(new Error("the connection broke"));
        sent += count;
        offset += count;
        if (count < part.byteLength) return; // Until `drain`.
      }
    };
    const sender: BunHandlers = { binaryType: "uint8array", data: () => {}, drain: push };
    const reader: BunHandlers = {
      binaryType: "uint8array",
      data(_socket, chunk) {
        received += chunk.byteLength;
      },
      close() {
        const rate = budget.rate(WRITE_BYTES);
        listener.stop(true);
        try {
          checkBytes(received, sent);
          resolve(rate);
        } catch (error) {
          reject(error);
        }
      },
    };
    const begin = (socket: BunSocket) => {
      budget = new Budget(limits);
      push(socket);
    };
    const up = direction === "client to server";
    const listener = listen(up ? reader : { ...sender, open: begin });
    connect(listener.port!, up ? sender : reader).then((socket) => {
      if (up) begin(socket);
    }, reject);
  });
}

function connects(atOnce: number, limits: Limits): Promise<number> {
  const listener = listen({ data: () => {}, open: (socket) => socket.end() });
  return new Promise((resolve, reject) => {
    const budget = new Budget(limits);
    let lanes = atOnce;
    const next = () => {
      if (budget.take()) {
        connect(listener.port!, client).catch(reject);
      } else if (--lanes === 0) {
        resolve(budget.rate());
        listener.stop();
      }
    };
    // Without `allowHalfOpen` Bun closes when the far end has.
    const client: BunHandlers = { data: () => {}, close: next };
    for (let i = 0; i < atOnce; i++) next();
  });
}
