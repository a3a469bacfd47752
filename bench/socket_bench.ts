// A quick look at one socket with `deno bench -A`: each group against its baseline. `deno task
// bench` measures the transports of all three runtimes, with more care.
import { memoryTransport } from "../src/adapters/memory/mod.ts";
import { denoTransport, fromConn } from "../src/adapters/deno/mod.ts";
import type { Socket, Transport } from "../src/core.ts";
import type { Conn } from "./transport/conn_side.ts";
import { checkEcho, ECHO_BYTES, newMessage, WRITE_BYTES } from "./transport/side.ts";

const HOSTNAME = "127.0.0.1";

const bare = await bareEcho();
const wrapped = fromConn(await bareEcho());
const memory = await transportEcho(memoryTransport());
const deno = await transportEcho(denoTransport());

const answer = new Uint8Array(WRITE_BYTES);
const message = newMessage();

/** One message there and back. */
async function roundTrip(conn: Conn): Promise<void> {
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

const echo = { group: "echo 64 B, the server bare Deno", n: 20_000, warmup: 2_000 };
Deno.bench("Deno.Conn", { ...echo, baseline: true }, async () => await roundTrip(bare));
Deno.bench("Socket over Deno.Conn", echo, async () => await roundTrip(wrapped));

const both = { group: "echo 64 B, both ends sockets", n: 20_000, warmup: 2_000 };
Deno.bench("deno transport", { ...both, baseline: true }, async () => await roundTrip(deno));
Deno.bench("memory transport", both, async () => await roundTrip(memory));

/** A connection of Deno's own to a server of Deno's own that echoes. */
async function bareEcho(): Promise<Deno.TcpConn> {
  const listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
  listener.unref();
  const { port } = listener.addr;
  const [near, far] = await Promise.all([
    Deno.connect({ hostname: HOSTNAME, port }),
    listener.accept(),
  ]);
  near.setNoDelay(true);
  far.setNoDelay(true);
  void echoBack(far);
  return near;
}

/** A socket to a server of the same transport that echoes. */
async function transportEcho(transport: Transport): Promise<Socket> {
  const listener = await transport.listen({ hostname: HOSTNAME, port: 0 });
  listener.unref();
  const [near, far] = await Promise.all([
    transport.connect(listener.address),
    listener.accept(),
  ]);
  void echoBack(far);
  return near;
}

async function echoBack(conn: Conn): Promise<void> {
  const buffer = new Uint8Array(WRITE_BYTES);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return;
    let written = await conn.write(buffer.subarray(0, count));
    while (written < count) written += await conn.write(buffer.subarray(written, count));
  }
}
