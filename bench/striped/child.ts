// One end of a transfer, in any runtime: a server that takes bytes, or a client that sends them. Its
// only argument is a `Task` as JSON; it answers in lines of JSON.
import process from "node:process";
import { AddressTable, type Socket } from "../../src/core.ts";
import { hostAddresses } from "../../src/core.ts";
import { connectStriped, listenStriped } from "../../src/parallel/striped/mod.ts";
import { systemTransport } from "../../src/system_transport.ts";

/** What a child is to do. */
export interface Task {
  readonly role: "server" | "client";
  readonly hostname: string;
  /** 0 for one bare socket. */
  readonly sockets: number;
  readonly bytes: number;
  readonly unitBytes: number;
  /** Where the client finds the server. */
  readonly port?: number;
  /** The client's local addresses, each with a way of its own. */
  readonly addresses?: readonly string[];
}

/** What the server has measured. */
export interface Measured {
  readonly bytes: number;
  /** From the first byte to the last. */
  readonly ms: number;
  readonly cpuMs: number;
  readonly resentBytes: number;
}

const task = JSON.parse(process.argv[2]!) as Task;
const transport = systemTransport();
const CHUNK_BYTES = 256 * 1024;

const answer = (line: object): void => console.log(JSON.stringify(line));

if (task.role === "server") await serve();
else await send();
process.exit(0); //

async function serve(): Promise<void> {
  const { hostname, sockets, unitBytes } = task;
  const listener = sockets === 0
    ? await transport.listen({ hostname })
    : await listenStriped({ transport, hostname, unitBytes });
  answer({ port: listener.address.port });
  // The first run warms up.
  for (let run = 0; run < 2; run++) {
    const socket = await listener.accept();
    const into = new Uint8Array(CHUNK_BYTES);
    let bytes = await socket.read(into) ?? 0;
    const began = performance.now();
    const cpu = process.cpuUsage();
    for (;;) {
      const count = await socket.read(into);
      if (count === null) break;
      bytes += count;
    }
    const ms = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    await socket.write(new Uint8Array(1));
    await socket.close();
    if (run === 1) answer({ bytes, ms, cpuMs: (user + system) / 1000, resentBytes: 0 });
  }
}

async function send(): Promise<void> {
  const { sockets, bytes } = task;
  for (const length of [Math.min(bytes / 4, 256 * 2 ** 20), bytes]) {
    const socket = await open();
    if (sockets > 1) await allStand(socket);
    const cpu = process.cpuUsage();
    const chunk = new Uint8Array(CHUNK_BYTES).fill(7);
    for (let at = 0; at < length; at += CHUNK_BYTES) await socket.write(chunk);
    await socket.closeWrite();
    await socket.read(new Uint8Array(1));
    const { user, system } = process.cpuUsage(cpu);
    const { resentBytes = 0, members = [] } = "bundle" in socket
      ? (socket.bundle as { resentBytes: number; members: readonly { sentBytes: number }[] })
      : {};
    const shares = members.map(({ sentBytes }) => Math.round(sentBytes / 2 ** 20));
    await socket.close();
    if (length === bytes) answer({ cpuMs: (user + system) / 1000, resentBytes, shares });
  }
}

async function open(): Promise<Socket> {
  const { hostname, sockets, unitBytes, addresses, port } = task;
  const target = { hostname, port: port! };
  if (sockets === 0) return await transport.connect(target, { localAddress: addresses?.[0] });
  if (addresses === undefined) {
    return await connectStriped(target, { transport, sockets, unitBytes });
  }
  const table = new AddressTable({ transport, source: hostAddresses([...addresses]) });
  return await connectStriped(target, { addresses: table, sockets, unitBytes });
}

async function allStand(socket: Socket): Promise<void> {
  const { bundle } = socket as Socket & { bundle: { members: readonly unknown[] } };
  while (bundle.members.length < task.sockets) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
