// Started by the tests of DHCP in a network namespace: a host whose addresses are leased, or the peer
// that its sockets talk to; does what each line on its standard input says.
import {
  AddressTable,
  isJackfieldError,
  type JackfieldError,
  type Socket,
  systemTransport,
} from "../../mod.ts";
import {
  type DhcpAddresses,
  dhcpAddresses,
  type DhcpAddressesOptions,
} from "../../src/integrations/dhcp/mod.ts";
import process from "node:process";
import { serveLines } from "./serve_lines.ts";

const transport = systemTransport();
const BYTE = new Uint8Array(1);
let source: DhcpAddresses | undefined;
let table: AddressTable | undefined;
let errors: string[] = [];
let sockets: Socket[] = [];

/** What the peer got: when, and from whom. */
const arrivals: { from: string; atMs: number; count: number }[] = [];

/** What the streaming sockets did. */
const stream = { written: 0, lateWrites: 0, endsAtMs: Infinity, ends: [] as string[] };

const wallMs = (): number => performance.timeOrigin + performance.now();

/** Write a byte again and again, and once more for each one that comes. */
function pour(socket: Socket): void {
  let timer: ReturnType<typeof setInterval> | undefined = undefined;
  const write = async () => {
    const beganMs = wallMs(); // It may be told of after a stop what was written before.
    try {
      await socket.write(BYTE);
      stream.written++;
      if (beganMs > stream.endsAtMs) stream.lateWrites++;
    } catch {
      clearInterval(timer);
    }
  };
  timer = setInterval(write, 2);
  void (async () => {
    const buffer = new Uint8Array(64);
    while (await socket.read(buffer).catch(() => null) !== null) await write();
  })();
  socket.closed.then(
    () => stream.ends.push("closed"),
    (error) => stream.ends.push((error as JackfieldError).code),
  );
}

serveLines({
  /** A table over DHCP; without `assign` its addresses are on the host already. */
  table: (options: DhcpAddressesOptions, assign: { interface: string } | null = null) => {
    source = dhcpAddresses(options);
    errors = [];
    table = new AddressTable({
      transport,
      source,
      exclusive: true,
      ...(assign === null ? {} : { assign }),
      onError: (error, { stage }) => errors.push(`${stage}: ${(error as Error).message}`),
    });
  },
  /** So many sockets at once, each from an address of its own; what they could not get. */
  connect: async (hostname: string, count: number) => {
    const connects = Array.from({ length: count }, () => table!.connect({ hostname, port: 7000 }));
    const made = await Promise.allSettled(connects);
    const failures: string[] = [];
    for (const one of made) {
      if (one.status === "fulfilled") sockets.push(one.value);
      else failures.push(isJackfieldError(one.reason) ? one.reason.code : String(one.reason));
    }
    return failures;
  },
  create: () => table!.create(),
  close: (descriptor: number) => table!.close(descriptor),
  /** Each socket sends a byte and gets it back; how many did. */
  echo: async () => {
    const back = await Promise.all(sockets.map(async (socket) => {
      await socket.write(BYTE);
      return await socket.read(new Uint8Array(1));
    }));
    return back.filter((count) => count === 1).length;
  },
  /** Close so many sockets; what is leased when the table has given their addresses back. */
  closeSockets: async (count: number) => {
    await Promise.all(sockets.splice(0, count).map((socket) => socket.close()));
    const leases = () => table!.state().addresses;
    while (leases().length > sockets.length) await new Promise((resolve) => setTimeout(resolve, 5));
    return leases();
  },
  leases: () => table!.state().addresses,
  states: () => sockets.map(({ state }) => state),
  stats: () => source!.stats(),
  errors: () => errors,
  pid: () => process.pid,
  closeAll: async () => {
    await table!.closeAll();
    sockets = [];
  },
  /** Be the peer: send back what comes, note it, and send more. */
  listen: async (hostname: string, everyMs: number) => {
    const listener = await transport.listen({ hostname, port: 7000, backlog: 512 });
    void (async () => {
      for await (const socket of listener) void receive(socket, everyMs);
    })();
  },
  arrivals: () => arrivals.splice(0),
  /** Begin to stream; when the first of the leases ends, by the wall clock. */
  stream: () => {
    for (const socket of sockets) pour(socket);
  },
  /** Note when the lease ends, before this process is stopped. */
  note: () => {
    const left = table!.state().addresses.map(({ expiresInMs }) => expiresInMs!);
    return stream.endsAtMs = wallMs() + Math.max(...left);
  },
  streamed: () => stream,
});

async function receive(socket: Socket, everyMs: number): Promise<void> {
  const from = socket.remoteAddress.hostname;
  const timer = everyMs > 0
    ? setInterval(() => void socket.write(BYTE).catch(() => clearInterval(timer)), everyMs)
    : undefined;
  const buffer = new Uint8Array(4096);
  for (;;) {
    const count = await socket.read(buffer).catch(() => null);
    if (count === null) break;
    arrivals.push({ from, atMs: wallMs(), count });
    if (everyMs === 0) await socket.write(buffer.subarray(0, count)).catch(() => {});
  }
  clearInterval(timer);
  socket.abort();
}
