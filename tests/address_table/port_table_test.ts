import { assert, assertEquals, assertThrows } from "@std/assert";
import { isJackfieldError } from "../../src/core.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { PortTable } from "../../src/address_table/port_table.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";

const RANGE = { from: 50_000, to: 50_009 };
const HERE = "127.0.0.2";
const ALL = Array.from({ length: 10 }, (_, at) => RANGE.from + at);

const takeAll = (table: PortTable, address: string, destination?: string) =>
  ALL.map(() => table.take(address, destination)).sort();

test("PortTable.take(): each destination has the whole range to itself", () => {
  const table = new PortTable(RANGE);
  for (const destination of ["a:1", "a:2", "b:1"]) {
    assertEquals(takeAll(table, HERE, destination), ALL);
  }
  assertEquals(takeAll(table, "127.0.0.3", "a:1"), ALL); // So has each address.
  assertEquals(table.size, 40);
});

test("PortTable.take() names the limit when the range is used up", () => {
  const table = new PortTable(RANGE);
  takeAll(table, HERE, "a:1");
  const error = assertThrows(() => table.take(HERE, "a:1"), Error, "all 10 ports from 50000 to");
  assert(isJackfieldError(error, "ADDRESS_EXHAUSTED"));
  assertEquals([error.limit, error.localAddress, error.operation], [10, HERE, "bind"]);
  assert(error.message.includes("127.0.0.2 to a:1"));
  assertEquals(table.size, 10);
});

test("PortTable.take() without a destination excludes every destination", () => {
  const table = new PortTable(RANGE);
  const bound = ALL.slice(0, 4).map(() => table.take(HERE));
  const others = ALL.slice(4).map(() => table.take(HERE, "a:1"));
  assertEquals([...bound, ...others].sort(), ALL);
  assertThrows(() => table.take(HERE, "a:1"), Error, "all 10 ports");
  assertThrows(() => table.take(HERE), Error, "all 10 ports");
  assertEquals(takeAll(table, "127.0.0.3"), ALL); // Another address is another matter.
});

test("PortTable.take() without a destination takes no port that some destination has", () => {
  const table = new PortTable(RANGE);
  const used = ["a:1", "a:2", "b:1"].map((destination) => table.take(HERE, destination));
  const free = new Set(ALL).difference(new Set(used));
  assertEquals([...free].map(() => table.take(HERE)).sort(), [...free]);
  assertThrows(() => table.take(HERE), Error, "all 10 ports");
});

test("PortTable.giveBack() makes a port free again, for its destination alone", () => {
  const table = new PortTable(RANGE);
  takeAll(table, HERE, "a:1");
  takeAll(table, HERE, "a:2");
  table.giveBack(HERE, 50_003, "a:1");
  assertEquals(table.take(HERE, "a:1"), 50_003);
  assertThrows(() => table.take(HERE, "a:2"));
  for (const port of ALL) table.giveBack(HERE, port, "a:1");
  for (const port of ALL) table.giveBack(HERE, port, "a:2");
  assertEquals(table.size, 0);
  const bound = table.take(HERE);
  table.giveBack(HERE, bound);
  assertEquals([table.size, takeAll(table, HERE, "a:1")], [0, ALL]);
});

test("PortTable.giveBack() of what nobody has does nothing", () => {
  const table = new PortTable(RANGE);
  const port = table.take(HERE, "a:1");
  table.giveBack(HERE, port);
  table.giveBack(HERE, port, "a:2");
  table.giveBack("127.0.0.3", port, "a:1");
  assertEquals(table.size, 1);
  table.giveBack(HERE, port, "a:1");
  table.giveBack(HERE, port, "a:1");
  assertEquals(table.size, 0);
});

test("PortTable.take() goes round the range before it takes a port again", () => {
  const table = new PortTable(RANGE, { random: () => 0.75 }); // The search begins with 50007.
  table.take(HERE, "a:1"); // Keeps the place of the search.
  const order = ALL.slice(1).map(() => {
    const port = table.take(HERE, "a:1");
    table.giveBack(HERE, port, "a:1");
    return port;
  });
  assertEquals(order, [50_008, 50_009, 50_000, 50_001, 50_002, 50_003, 50_004, 50_005, 50_006]);
});

test("PortTable.rest() leaves a tuple alone for its time, and no longer", async () => {
  const clock = new VirtualClock();
  const table = new PortTable(RANGE, { random: () => 0, clock, restMs: 1000 });
  for (const port of ALL.slice(0, 9)) {
    assertEquals(table.take(HERE, "a:1"), port);
    table.rest(HERE, port, "a:1");
    await clock.advance(10);
  }
  assertEquals([table.size, table.resting], [0, 9]);
  assertEquals(table.take(HERE, "a:2"), 50_000); // It rests for one destination.
  assertEquals(table.take(HERE, "a:1"), 50_009);
  assertThrows(() => table.take(HERE, "a:1"), Error, "all 10 ports");
  await clock.advance(909); // 999 ms after the first one.
  assertThrows(() => table.take(HERE, "a:1"), Error, "or rest");
  await clock.advance(1);
  assertEquals(table.take(HERE, "a:1"), 50_000);
  assertThrows(() => table.take(HERE, "a:1"));
  assertEquals([table.size, table.resting], [3, 8]);
  await clock.advance(1000);
  assertEquals(table.state(), [
    { localAddress: HERE, destination: "a:1", used: 2, resting: 0 },
    { localAddress: HERE, destination: "a:2", used: 1, resting: 0 },
  ]);
});

test("PortTable.rest() of what nobody has does nothing", () => {
  const table = new PortTable(RANGE);
  table.rest(HERE, 50_003, "a:1");
  const port = table.take(HERE, "a:1");
  table.rest(HERE, port, "a:2");
  table.rest(HERE, port);
  assertEquals([table.size, table.resting], [1, 0]);
});

test("PortTable bounds what rests: with one more, the oldest is tried again", () => {
  const table = new PortTable({ from: 1, to: 20_000 }, { random: () => 0 });
  for (let at = 0; at < 16_385; at++) table.rest(HERE, table.take(HERE, "a:1"), "a:1");
  assertEquals([table.size, table.resting], [0, 16_384]);
  assertEquals(table.take(HERE, "a:1"), 1); // The first that rested.
});

test("PortTable leaves reserved ports alone, unless one is asked for", () => {
  const reserved = [{ from: 1, to: 50_001 }, { from: 50_001, to: 50_002 }, {
    from: 50_008,
    to: 65_535,
  }];
  const table = new PortTable({ ...RANGE, reserved });
  assertEquals(table.reserved, 5);
  const free = [50_003, 50_004, 50_005, 50_006, 50_007];
  assertEquals(free.map(() => table.take(HERE, "a:1")).sort(), free);
  assertThrows(() => table.take(HERE, "a:1"), Error, "all 5 ports");
  assertThrows(() => table.take(HERE), Error, "all 5 ports");
  assertEquals(table.takePort(HERE, 50_001), 50_001);
  assertEquals(table.size, 6);
});

test("PortTable.takePort() takes that port for all destinations, wherever it lies", () => {
  const table = new PortTable(RANGE);
  const used = table.take(HERE, "a:1");
  const error = assertThrows(() => table.takePort(HERE, used)) as { code?: string };
  assertEquals(error.code, "ADDRESS_IN_USE");
  for (const port of [80, 50_000 + (used + 1) % 10, 65_535]) {
    assertEquals(table.takePort(HERE, port), port);
    assertThrows(() => table.takePort(HERE, port));
    assertEquals(table.takePort("127.0.0.3", port), port);
  }
  assertEquals(table.size, 7);
  assertEquals(
    ALL.slice(2).map(() => table.take(HERE, "a:2")).includes(50_000 + (used + 1) % 10),
    false,
  );
  for (const port of [80, 50_000 + (used + 1) % 10, 65_535]) table.giveBack(HERE, port);
  assertEquals(table.takePort(HERE, 80), 80);
});

test("PortTable refuses a range that is none", () => {
  const bad = [[0, 10], [10, 9], [-1, 5], [1, 65_536], [1.5, 3], [NaN, 3]] as const;
  for (const [from, to] of bad) assertThrows(() => new PortTable({ from, to }), RangeError);
  assertEquals(new PortTable({ from: 7, to: 7 }).take(HERE), 7);
  assertEquals(new PortTable({ from: 65_535, to: 65_535 }).take(HERE), 65_535);
});

test("PortTable never gives one tuple twice, and finds every free port, in 20,000 random steps", () =>
  withSeeds([21, 22, 23, 24], (dice) => {
    const table = new PortTable(RANGE, { random: dice.random });
    const taken: { address: string; destination: string | undefined; port: number }[] = [];
    for (let step = 0; step < 5000; step++) {
      const address = dice.oneOf([HERE, "127.0.0.3"]);
      const destination = dice.oneOf([undefined, "a:1", "a:2", "b:1"]);
      if (dice.random() < (step % 500 < 250 ? 0.7 : 0.3)) {
        const clash = (port: number) =>
          taken.some((one) =>
            one.address === address && one.port === port &&
            (one.destination === destination || !one.destination || !destination)
          );
        const free = ALL.filter((port) => !clash(port));
        if (free.length === 0) assertThrows(() => table.take(address, destination));
        else {
          const port = table.take(address, destination);
          assert(free.includes(port), `${port} in step ${step}`);
          taken.push({ address, destination, port });
        }
      } else if (taken.length > 0) {
        const [one] = taken.splice(dice.below(taken.length), 1);
        table.giveBack(one!.address, one!.port, one!.destination);
      }
      assertEquals(table.size, taken.length);
    }
  }));
