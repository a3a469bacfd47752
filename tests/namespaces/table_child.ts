// Started by the tests of this folder in a network namespace: connects through an address table as
// each line on its standard input says, and prints in one line of JSON what came of it.
import {
  AddressTable,
  hostAddresses,
  type JackfieldError,
  type Socket,
  systemTransport,
  type Target,
} from "../../mod.ts";
import { serveLines } from "./serve_lines.ts";

const transport = systemTransport();
const sockets: Socket[] = [];
let table: AddressTable | undefined;
let descriptors: number[] = [];

/** Open sockets until one is refused; the system's word for why. */
async function openAll(
  count: number,
  open: (index: number) => Promise<Socket>,
): Promise<{ open: number; refused: Record<string, number> }> {
  const refused: Record<string, number> = {};
  let opened = 0;
  await Promise.all(Array.from({ length: count }, async (_, index) => {
    try {
      sockets.push(await open(index));
      opened++;
    } catch (error) {
      const { code, reason } = error as JackfieldError;
      const word = reason ?? code ?? String(error);
      refused[word] = (refused[word] ?? 0) + 1;
    }
  }));
  return { open: opened, refused };
}

serveLines({
  /** Listen on these addresses at one port, and keep what comes. */
  listen: async (hostnames: string[], port: number) => {
    for (const hostname of hostnames) {
      const listener = await transport.listen({ hostname, port, backlog: 512 });
      void (async () => {
        for await (const socket of listener) sockets.push(socket);
      })();
    }
  },
  /** As many sockets as asked for, each from the next address to the next target. */
  plain: (addresses: string[], targets: Target[], count: number) =>
    openAll(count, (index) => {
      const localAddress = addresses[index % addresses.length]!;
      const target = targets[Math.floor(index / addresses.length) % targets.length]!;
      return transport.connect(target, { localAddress });
    }),
  /** A table with these options. */
  table: (list: string[], options: { assign?: { interface: string; validMs: number } }) => {
    table = new AddressTable({ transport, source: hostAddresses(list), ...options });
  },
  /** The same as `plain` through the table. */
  connect: (targets: Target[], count: number) =>
    openAll(count, (index) => table!.connect(targets[index % targets.length]!)),
  /** What the kernel uses: pairs of ends. */
  ends: () =>
    sockets.map(({ localAddress, remoteAddress }) =>
      [localAddress, remoteAddress].map((end) => `${end.hostname}:${end.port}`)
    ),
  closeAll: async () => {
    await Promise.all(sockets.splice(0).map((socket) => socket.close()));
  },
  /** A descriptor for each target: created, connected, and left open. */
  create: async (targets: Target[]) => {
    descriptors = await Promise.all(targets.map(() => table!.create()));
    await Promise.all(
      descriptors.map((descriptor, at) => table!.connect(descriptor, targets[at]!)),
    );
    return descriptors.map((descriptor) => table!.addressOf(descriptor).hostname);
  },
  /** So many descriptors without a connection. */
  hold: async (count: number) => {
    for (let at = 0; at < count; at++) descriptors.push(await table!.create());
  },
  closeDescriptors: async () => {
    await Promise.all(descriptors.splice(0).map((descriptor) => table!.close(descriptor)));
  },
});
