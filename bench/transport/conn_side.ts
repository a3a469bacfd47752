// The loads over anything that reads and writes like a Deno.Conn: the library's sockets in every
// runtime, and Deno's own. Both run this very code. Short writes are handled in place, not by an
// async function: its promise would be measured, and the library's sockets do not need it.
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

/** A connection. */
export interface Conn {
  /** Resolves to the count, or to `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Resolves to how many bytes were taken, perhaps not all. */
  write(bytes: Uint8Array): Promise<number>;
  /** Sends the end of the stream. */
  closeWrite(): Promise<void>;
  /** Ends the connection. */
  close(): void | Promise<void>;
}

/** A listener. */
export interface ConnListener {
  /** Where it listens. */
  readonly port: number;
  /** The next connection; rejects after `close`. */
  accept(): Promise<Conn>;
  /** Stops listening. */
  close(): void | Promise<void>;
}

/** How connections are made. */
export interface Network {
  /** Listen on a free port of 127.0.0.1. */
  listen(): Promise<ConnListener>;
  /** Connect to 127.0.0.1. */
  connect(port: number): Promise<Conn>;
}

/** The loads over a network of connections with promises. */
export function connSide(name: string, network: Network): Side {
  return {
    name,
    echo: (connections, limits) => echo(network, connections, limits),
    bulk: (direction, limits) => bulk(network, direction, limits),
    connects: (atOnce, limits) => connects(network, atOnce, limits),
  };
}

async function echo(network: Network, connections: number, limits: Limits): Promise<number> {
  const listener = await network.listen();
  const served = serve(listener, echoBack);
  const conns: Conn[] = [];
  for (let i = 0; i < connections; i++) conns.push(await network.connect(listener.port));
  const budget = new Budget(limits);
  await Promise.all(conns.map((conn) => askAndAnswer(conn, budget)));
  const rate = budget.rate();
  for (const conn of conns) await conn.close();
  await listener.close();
  await served;
  return rate;
}

async function askAndAnswer(conn: Conn, budget: Budget): Promise<void> {
  const message = newMessage();
  const answer = new Uint8Array(WRITE_BYTES);
  while (budget.take()) {
    message[0]!++;
    let written = await conn.write(message);
    while (written < ECHO_BYTES) written += await conn.write(message.subarray(written));
    let filled = 0;
    while (filled < ECHO_BYTES) {
      const count = await conn.read(filled === 0 ? answer : answer.subarray(filled));
      if (count === null) throw new Error("the echo ended early");
      filled += count;
    }
    checkEcho(answer[0], message[0]);
  }
}

async function echoBack(conn: Conn): Promise<void> {
  const buffer = new Uint8Array(WRITE_BYTES);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return void await conn.close();
    let written = await conn.write(buffer.subarray(0, count));
    while (written < count) written += await conn.write(buffer.subarray(written, count));
  }
}

async function bulk(network: Network, direction: Direction, limits: Limits): Promise<number> {
  const listener = await network.listen();
  const [client, server] = await Promise.all([network.connect(listener.port), listener.accept()]);
  const [from, to] = direction === "client to server" ? [client, server] : [server, client];
  const budget = new Budget(limits);
  const [sent, received] = await Promise.all([send(from, budget), drain(to)]);
  const rate = budget.rate(WRITE_BYTES);
  checkBytes(received, sent);
  await Promise.all([client.close(), server.close(), listener.close()]);
  return rate;
}

async function send(conn: Conn, budget: Budget): Promise<number> {
  const block = new Uint8Array(WRITE_BYTES).fill(7);
  let sent = 0;
  while (budget.take()) {
    let written = await conn.write(block);
    while (written < WRITE_BYTES) written += await conn.write(block.subarray(written));
    sent += written;
  }
  await conn.closeWrite();
  return sent;
}

async function drain(conn: Conn): Promise<number> {
  const buffer = new Uint8Array(WRITE_BYTES);
  let received = 0;
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return received;
    received += count;
  }
}

async function connects(network: Network, atOnce: number, limits: Limits): Promise<number> {
  const listener = await network.listen();
  const served = serve(listener, (conn) => conn.close());
  const budget = new Budget(limits);
  const lane = async () => {
    const buffer = new Uint8Array(1);
    while (budget.take()) {
      const conn = await network.connect(listener.port);
      if (await conn.read(buffer) !== null) throw new Error("bytes came from nowhere");
      await conn.close();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const rate = budget.rate();
  await listener.close();
  await served;
  return rate;
}

/** Handle every connection until the listener is closed. */
async function serve(
  listener: ConnListener,
  handle: (conn: Conn) => void | Promise<void>,
): Promise<void> {
  for (;;) {
    let conn: Conn;
    try {
      conn = await listener.accept();
    } catch {
      return; // It was closed.
    }
    void handle(conn);
  }
}
