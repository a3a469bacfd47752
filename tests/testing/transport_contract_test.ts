// Transports that keep the contract, and transports that are broken on purpose.
import { assertRejects } from "@std/assert";
import { systemTransport } from "../../mod.ts";
import type { Socket, Transport } from "../../src/core.ts";
import {
  memoryTransport,
  seededFaults,
  transportContract,
  type TransportHome,
  watchedTransport,
} from "../../src/testing/mod.ts";
import { runtime, test } from "../harness.ts";

const homes: Readonly<Record<string, () => TransportHome>> = {
  "a network in memory": () => ({ transport: memoryTransport() }),
  "a network in memory that is slow and narrow": () => ({
    transport: memoryTransport({
      pipeBytes: 5000,
      faults: seededFaults({ seed: 1, short: 0.5, maxBytes: 2000 }),
    }),
  }),
  "a watched one": () => {
    const network = memoryTransport();
    const transport = watchedTransport(network);
    return { transport, peer: network, close: () => transport.checkEnd() };
  },
  [`real sockets of ${runtime}`]: () => ({ transport: systemTransport() }),
};

for (const [home, create] of Object.entries(homes)) {
  for (const { name, run } of transportContract(create)) {
    test(`transportContract() with ${home} ${name}`, run);
  }
}

/** The same transport, with sockets that do one thing in their own way. */
function withSockets(change: (socket: Socket) => Partial<Socket>): TransportHome {
  const network = memoryTransport();
  const changed = (socket: Socket): Socket =>
    new Proxy(socket, {
      get(target, key) {
        const own = change(target) as Record<string | symbol, unknown>;
        const value = key in own ? own[key] : Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  const connect: Transport["connect"] = async (...args) => changed(await network.connect(...args));
  return { transport: { ...withoutThis(network), connect }, peer: network };
}

function withoutThis(transport: Transport): Transport {
  const { name, capabilities, host } = transport;
  return {
    name,
    capabilities,
    host,
    connect: (...args) => transport.connect(...args),
    listen: (...args) => transport.listen(...args),
  };
}

const broken: readonly [what: string, why: string, create: () => TransportHome][] = [
  [
    "writes less than it says",
    "what arrived",
    () =>
      withSockets((socket) => ({
        write: async (bytes) => (await socket.write(bytes.subarray(0, 1000)), bytes.byteLength),
      })),
  ],
  [
    "has no half close",
    "reset the connection",
    () => withSockets((socket) => ({ closeWrite: () => socket.close() })),
  ],
  [
    "swallows the reason",
    "enough",
    () => withSockets((socket) => ({ abort: () => socket.abort() })),
  ],
  [
    "ignores what it cannot do",
    "UNSUPPORTED",
    () => {
      const network = memoryTransport();
      const connect: Transport["connect"] = ({ tls: _tls, ...target }, options) =>
        network.connect(target as Parameters<Transport["connect"]>[0], options);
      return { transport: { ...withoutThis(network), connect } };
    },
  ],
  [
    "says nothing of a release",
    "onReleased was called is 0",
    () => {
      const network = memoryTransport();
      const connect: Transport["connect"] = (target, { onReleased: _told, ...options } = {}) =>
        network.connect(target, options);
      return { transport: { ...withoutThis(network), connect } };
    },
  ],
];

for (const [what, why, create] of broken) {
  test(`transportContract() finds a transport that ${what}`, async () => {
    await assertRejects(
      async () => {
        for (const { run } of transportContract(create)) await run();
      },
      Error,
      why,
    );
  });
}
