// Started by the tests of this folder in a network namespace: does with the host's interfaces what
// each line on its standard input says, and prints in one line of JSON what came of it.
import { systemTransport } from "../../src/system_transport.ts";
import type { AssignedAddress, JackfieldError } from "../../src/transport/mod.ts";
import { serveLines } from "./serve_lines.ts";

const transport = systemTransport();
const interfaces = transport.host.interfaces!;
const assigned = new Map<string, AssignedAddress>();

serveLines({
  list: () => interfaces.list(),
  assign: async (options: Parameters<typeof interfaces.assign>[0]) => {
    assigned.set(options.hostname, await interfaces.assign(options));
  },
  assignMany: async (all: Parameters<typeof interfaces.assign>[0][]) => {
    const made = await Promise.allSettled(all.map((options) => interfaces.assign(options)));
    const failures: string[] = [];
    for (const [at, outcome] of made.entries()) {
      if (outcome.status === "rejected") failures.push(outcome.reason.message);
      else assigned.set(all[at]!.hostname, outcome.value);
    }
    return failures;
  },
  renew: (hostname: string, validMs: number) => assigned.get(hostname)!.renew(validMs),
  remove: (hostname: string) => assigned.get(hostname)!.remove(),
  removeMany: (hostnames: string[]) =>
    Promise.all(hostnames.map((hostname) => assigned.get(hostname)!.remove())),
  removeLeftovers: (name?: string) => interfaces.removeLeftovers(name),
  checkRoute: (to: string, from: string) => interfaces.checkRoute(to, from),
  connect: async (hostname: string, port: number, localAddress: string, timeoutMs: number) => {
    const options = { localAddress, timeoutMs };
    const socket = await transport.connect({ hostname, port }, options);
    const { hostname: from } = socket.localAddress;
    await socket.close();
    return from;
  },
  destroyed: async (hostname: string) => {
    const listener = await transport.listen({ hostname });
    const near = await transport.connect(listener.address, { localAddress: hostname });
    const far = await listener.accept();
    await assigned.get(hostname)!.remove();
    const silent = setTimeout(() => near.abort(new Error("silent")), 3000);
    const how = await near.read(new Uint8Array(1)).then(String, (error: JackfieldError) => {
      return error.code;
    });
    clearTimeout(silent);
    near.abort();
    far.abort();
    await listener.close();
    return how;
  },
  /** How many bytes come over when the address goes while the peer has not read them. */
  lastBytes: async (hostname: string, count: number) => {
    const listener = await transport.listen({ hostname: "127.0.0.1" });
    const near = await transport.connect(listener.address, { localAddress: hostname });
    const far = await listener.accept();
    await near.write(new Uint8Array(count));
    await near.close();
    const removed = assigned.get(hostname)!.remove();
    await new Promise((resolve) => setTimeout(resolve, 150));
    const buffer = new Uint8Array(2 ** 16);
    let read = 0;
    for (;;) {
      const got = await far.read(buffer).catch(() => null);
      if (got === null) break;
      read += got;
    }
    far.abort();
    await removed;
    await listener.close();
    return read;
  },
});
