// A million tuples: each of 16 addresses has more than sixty thousand connections to one place.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  AddressTable,
  createSocket,
  hostAddresses,
  type Socket,
  type Transport,
} from "../../src/core.ts";
import { findFree, PortSet } from "../../src/address_table/port_set.ts";
import { PortTable } from "../../src/address_table/port_table.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";

const ALL_PORTS = { from: 1024, to: 65_535 };
const ADDRESSES = Array.from({ length: 16 }, (_, at) => `10.0.0.${at + 1}`);
const PLACE = "192.0.2.1:80";

test("PortTable has a million tuples on 16 addresses, none of them twice (1)", () => {
  const table = new PortTable(ALL_PORTS);
  const seen = new Uint8Array(ADDRESSES.length * 65_536);
  const take = (which: number) => {
    const port = table.take(ADDRESSES[which]!, PLACE);
    const tuple = which * 65_536 + port;
    assert(seen[tuple] === 0, `${ADDRESSES[which]}:${port} is given twice`);
    seen[tuple] = 1;
  };
  for (let at = 0; at < 1_000_000; at++) take(at % 16);
  assertEquals(table.size, 1_000_000);
  // Come and go while nearly every port is in use.
  for (let at = 0; at < 200_000; at++) {
    const which = at % 16;
    const port = 1024 + at * 7919 % 64_512;
    const tuple = which * 65_536 + port;
    if (seen[tuple] === 0) continue;
    table.giveBack(ADDRESSES[which]!, port, PLACE);
    seen[tuple] = 0;
    take(which);
  }
  assertEquals(table.size, 1_000_000);
  for (let which = 0; which < 16; which++) {
    while (table.size < 16 * 64_512) {
      try {
        take(which);
      } catch {
        break; // This address has all of them.
      }
    }
  }
  assertEquals(table.size, 16 * 64_512);
  assertThrows(() => table.take(ADDRESSES[0]!, PLACE), Error, "all 64512 ports");
  for (let tuple = 0; tuple < seen.length; tuple++) {
    if (seen[tuple] === 1) table.giveBack(ADDRESSES[tuple >>> 16]!, tuple & 65_535, PLACE);
  }
  assertEquals([table.size, table.state()], [0, []]);
});

test("PortTable keeps a hundred thousand destinations with one connection each (1)", () => {
  const table = new PortTable(ALL_PORTS);
  const ports = Array.from({ length: 100_000 }, (_, at) => table.take("10.0.0.1", `p:${at}`));
  const bound = table.take("10.0.0.1"); // One that is free for all of them.
  assert(!ports.includes(bound));
  for (const [at, port] of ports.entries()) table.giveBack("10.0.0.1", port, `p:${at}`);
  assertEquals(table.size, 1);
});

test("AddressTable holds 16,000 connections from 16 addresses to one place (1)", async () => {
  const memory = memoryTransport();
  const transport: Transport = {
    name: "light",
    host: {},
    capabilities: memory.capabilities,
    listen: (options) => memory.listen(options),
    connect: (remoteAddress, { localAddress, localPort } = {}) =>
      Promise.resolve(createSocket({
        hasUnread: false,
        read: () => undefined,
        write: (bytes: Uint8Array) => bytes.byteLength,
        closeWrite: () => {},
        close: () => {},
        abort: () => {},
      } as never, {
        localAddress: { hostname: localAddress!, port: localPort! },
        remoteAddress: remoteAddress as never,
      })),
  };
  const table = new AddressTable({
    transport,
    source: hostAddresses(["10.0.0.1-10.0.0.16"]),
    maxDescriptors: 16_000,
  });
  const target = { hostname: "192.0.2.1", port: 80 };
  const sockets: Socket[] = [];
  while (sockets.length < 16_000) {
    const connects = Array.from({ length: 1000 }, () => table.connect(target));
    sockets.push(...await Promise.all(connects));
  }
  const tuples = new Set(
    sockets.map(({ localAddress: { hostname, port } }) => `${hostname}:${port}`),
  );
  assertEquals([tuples.size, table.ports, table.size], [16_000, 16_000, 16_000]);
  const { destinations } = table.state();
  assertEquals(new Set(destinations.map(({ used }) => used)), new Set([1000])); // Evenly.
  await table.closeAll();
  assertEquals([table.ports, table.size], [0, 0]);
});

test("findFree() and PortSet agree with a plain list in 100,000 random steps", () =>
  withSeeds([31, 32, 33, 34], (dice) => {
    for (const width of [1, 31, 32, 33, 64, 100]) {
      const set = new PortSet(width, 0);
      const taken = new Set<number>();
      for (let step = 0; step < 4200; step++) {
        const place = dice.below(width);
        if (dice.random() < (step % 400 < 200 ? 0.6 : 0.4)) {
          assertEquals(set.add(place), !taken.has(place));
          taken.add(place);
        } else assertEquals(set.delete(place), taken.delete(place));
        const start = dice.below(width);
        const expected = Array.from({ length: width }, (_, at) => (start + at) % width)
          .find((at) => !taken.has(at));
        assert(
          findFree(width, start, (at) => set.word(at)) === expected,
          `${width} from ${start}: expected ${expected}`,
        );
        if (set.size !== taken.size || set.has(place) !== taken.has(place)) {
          throw new Error(`size ${set.size} in step ${step}`);
        }
      }
      assertEquals([...set].toSorted(), [...taken].toSorted());
    }
  }));
