import {
  AddressTable,
  type AddressTableOptions,
  type Host,
  type JackfieldError,
  type Listener,
} from "../../../src/core.ts";
import {
  type DhcpAddresses,
  dhcpAddresses,
  type DhcpAddressesOptions,
} from "../../../src/integrations/dhcp/mod.ts";
import { memoryTransport, VirtualClock } from "../../../src/testing/mod.ts";
import {
  type FakeInterfaces,
  fakeInterfaces,
  FakeServer,
  type FakeServerOptions,
} from "./fake_server.ts";
import { MemoryFiles } from "./memory_files.ts";

/** Where sockets lead to. */
export const TARGET = { hostname: "192.0.2.1", port: 80 };

/** What a scene is made of. */
export interface SceneOptions {
  readonly server?: Partial<FakeServerOptions>;
  readonly dhcp?: Partial<DhcpAddressesOptions>;
  readonly table?: Partial<AddressTableOptions>;
  /** The host's own address; `""` for none. */
  readonly own?: string;
}

/** A source and its table. */
export interface Started {
  readonly source: DhcpAddresses;
  readonly table: AddressTable;
}

/** What {@linkcode scene} makes. */
export interface Scene extends Started {
  readonly clock: VirtualClock;
  readonly server: FakeServer;
  readonly interfaces: FakeInterfaces;
  readonly disk: MemoryFiles;
  readonly listener: Listener;
  /** What the tables were told that nobody waits for. */
  readonly errors: [string, JackfieldError][];
  /** Another table, as the next start of the program would make it. */
  start(more?: Partial<DhcpAddressesOptions>): Started;
  /** What comes of a promise, which needs time to pass. */
  within<T>(promise: Promise<T>, ms?: number): Promise<T>;
}

/** A table over a DHCP source, a server in memory, and a clock that waits. */
export async function scene(
  { server: serves, dhcp, table: options, own }: SceneOptions = {},
): Promise<Scene> {
  const clock = new VirtualClock();
  const server = new FakeServer({ clock, ...serves });
  const interfaces = fakeInterfaces(own === "" ? undefined : own);
  if (own === "") interfaces.list = () => [];
  const disk = new MemoryFiles();
  const host: Host = { datagrams: server, interfaces, files: disk.files };
  const transport = memoryTransport({ clock, host });
  const listener = await transport.listen(TARGET);
  const errors: [string, JackfieldError][] = [];
  const start = (more: Partial<DhcpAddressesOptions> = {}) => {
    const settings = { interface: "eth0", probe: false, random: () => 0.5, ...dhcp, ...more };
    const source = dhcpAddresses(settings);
    const table = new AddressTable({
      transport,
      source,
      clock,
      exclusive: true,
      onError: (error, { stage }) => errors.push([stage, error as JackfieldError]),
      ...options,
    });
    return { source, table };
  };
  const within = async <T>(promise: Promise<T>, ms = 60_000): Promise<T> => {
    promise.catch(() => {});
    await clock.advance(ms);
    return await promise;
  };
  return { clock, server, interfaces, disk, listener, errors, start, within, ...start() };
}
