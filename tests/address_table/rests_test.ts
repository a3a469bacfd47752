// Addresses that rest for a target: because somebody said so, or because connects failed.
import { assertEquals, assertThrows } from "@std/assert";
import {
  type AddressFailure,
  AddressTable,
  type AddressTableOptions,
  connectionError,
  type FailureReason,
  hostAddresses,
  isJackfieldError,
  JackfieldError,
  leastBusy,
  powerOfTwoChoices,
  random,
  restAfterFailure,
  sticky,
  weighted,
} from "../../src/core.ts";
import { Rests } from "../../src/address_table/rests.ts";
import { memoryTransport, seededRandom, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { FakeTransport } from "../pool/fake_transport.ts";
import { settle } from "../support/seeds.ts";
import { rejection } from "../transport/tools.ts";

const ONE = { hostname: "192.0.2.1", port: 80 };
const TWO = { hostname: "192.0.2.2", port: 80 };
const THREE = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

function failed(reason: FailureReason, cause?: unknown): JackfieldError {
  return new JackfieldError("CONNECT_FAILED", reason, { reason, cause });
}

async function scene(options: Partial<AddressTableOptions> = {}, addresses = THREE) {
  const clock = new VirtualClock();
  const transport = memoryTransport({ clock });
  const listeners = [await transport.listen(ONE), await transport.listen(TWO)];
  const table = new AddressTable({
    transport,
    source: hostAddresses(addresses),
    clock,
    ...options,
  });
  /** Where so many sockets to a target come from. */
  const hosts = async (target = ONE, count = 6) => {
    const made = await Promise.all(Array.from({ length: count }, () => table.create({ target })));
    const hosts = made.map((descriptor) => table.addressOf(descriptor).hostname);
    await Promise.all(made.map((descriptor) => table.close(descriptor)));
    return hosts.toSorted();
  };
  return { clock, transport, listeners, table, hosts };
}

const [A, B, C] = THREE as [string, string, string];

test("AddressTable.rest(): an address rests for one target, for its time (2)", async () => {
  const { clock, table, hosts } = await scene();
  const socket = await table.connect(ONE);
  table.rest(socket.localAddress, "192.0.2.1:80", 1000);
  assertEquals(await hosts(), [B, B, B, C, C, C]);
  assertEquals(await hosts(TWO), [A, A, B, B, C, C]);
  assertEquals(socket.state, "open"); // What is connected stays.
  assertEquals(table.state().rests, [
    { localAddress: A, target: "192.0.2.1:80", endsInMs: 1000, why: "asked" },
  ]);
  await clock.advance(999);
  assertEquals(await hosts(), [B, B, B, C, C, C]);
  await clock.advance(1);
  assertEquals(await hosts(), [A, A, B, B, C, C]);
  assertEquals(table.state().rests, []);
  await table.closeAll();
});

test("AddressTable.ban() holds until lift(), for one target or for all (2)", async () => {
  const { clock, table, hosts } = await scene();
  table.ban(A, ONE);
  table.ban(B);
  await clock.advance(10 ** 9);
  assertEquals([await hosts(), await hosts(TWO)], [[C, C, C, C, C, C], [A, A, A, C, C, C]]);
  assertEquals(table.state().rests.map(({ endsInMs, why }) => [endsInMs, why]), [
    [null, "banned"],
    [null, "banned"],
  ]);
  table.ban(C, "192.0.2.1:80");
  assertEquals((await rejection(table.connect(ONE))).code, "ADDRESS_EXHAUSTED");
  assertEquals([table.lift(B), table.lift(B), table.lift(A, TWO)], [true, false, false]);
  assertEquals(await hosts(), [B, B, B, B, B, B]);
  table.rest(A, ONE, 10); // What is said last counts.
  await clock.advance(10);
  assertEquals(await hosts(), [A, A, A, B, B, B]);
  await table.closeAll();
});

test("AddressTable knows one target by every way to write it", async () => {
  const { table } = await scene({}, ["fd00::1", A]);
  table.ban("FD00:0::1", { hostname: "[2001:DB8:0::1]", port: 443 });
  table.ban(A, { hostname: "Example.COM", port: 80 });
  assertEquals(table.state().rests.map(({ localAddress, target }) => [localAddress, target]), [
    ["fd00::1", "[2001:db8::1]:443"],
    [A, "example.com:80"],
  ]);
  assertEquals(table.lift("fd00::1", "[2001:db8::1]:443"), true);
  assertEquals(table.lift(A, "EXAMPLE.com:80"), true);
  for (const bad of [0, -1, NaN]) assertThrows(() => table.rest(A, ONE, bad), RangeError, "forMs");
  assertThrows(() => table.ban("nowhere"), TypeError, '"nowhere"');
  assertThrows(() => table.ban(A, "nowhere"), TypeError, '"nowhere"');
});

test("AddressTable hides what rests from every kind of strategy", async () => {
  const draw = { random: seededRandom(3) };
  const strategies = [
    leastBusy(),
    powerOfTwoChoices(draw),
    random(draw),
    weighted(() => 1),
    sticky(() => "key"),
    (candidates: readonly { hostname: string }[]) => candidates.at(-1),
  ];
  for (const strategy of strategies) {
    const { table, hosts } = await scene({ strategy: strategy as never });
    table.ban(A, ONE);
    table.ban(C, ONE);
    assertEquals(await hosts(), [B, B, B, B, B, B]);
    table.lift(A, ONE);
    for (const host of await hosts(ONE, 20)) assertEquals([A, B].includes(host), true);
    assertEquals((await hosts(TWO, 1)).length, 1);
    await table.closeAll();
  }
});

test("AddressTable.connect(target) goes on to the next address when one is missing on the host (2)", async () => {
  const transport = new FakeTransport();
  const clock = new VirtualClock();
  const table = new AddressTable({ transport, source: hostAddresses(THREE), clock });
  let released = 0;
  const connecting = table.connect(ONE, { onReleased: () => released++ });
  transport.connects[0]!.fail(failed("address-not-available", { syscall: "bind" }));
  await settle();
  transport.connects[1]!.open();
  const { localAddress } = transport.connects[1]!.options;
  await connecting;
  assertEquals([transport.connects.length, localAddress, released], [2, B, 0]);
  assertEquals(table.state().rests, [
    { localAddress: A, target: "*", endsInMs: 1000, why: "failed" }, // Missing for every target.
  ]);
  await table.closeAll();
});

test("AddressTable tries three ports when the kernel may mean the port or the address", async () => {
  const transport = new FakeTransport();
  const table = new AddressTable({ transport, source: hostAddresses(THREE) });
  const connecting = table.connect(ONE);
  for (let at = 0; at < 3; at++) {
    transport.connects[at]!.fail(failed("address-not-available", { syscall: "connect" }));
    await settle();
  }
  transport.connects[3]!.open();
  await connecting;
  const tried = transport.connects.map(({ options }) => options.localAddress);
  assertEquals(tried, [A, A, A, B]);
  assertEquals(new Set(transport.connects.slice(0, 3).map((c) => c.options.localPort)).size, 3);
  await table.closeAll();
});

test("AddressTable.connect(target) goes on when no route leads from an address, four times at most (2)", async () => {
  const transport = new FakeTransport();
  const clock = new VirtualClock();
  const source = hostAddresses(["10.0.0.0/28"]);
  const table = new AddressTable({ transport, source, clock });
  let released = 0;
  const connecting = rejection(table.connect(ONE, { onReleased: () => released++ }));
  for (let at = 0; transport.connects.length > at; at++) {
    transport.connects[at]!.fail(failed("unreachable"));
    await settle();
  }
  const error = await connecting as JackfieldError;
  assertEquals([error.reason, transport.connects.length, released], ["unreachable", 4, 1]);
  const tried = transport.connects.map(({ options }) => options.localAddress);
  assertEquals(new Set(tried).size, 4);
  assertEquals(table.state().rests.map(({ target }) => target), Array(4).fill("192.0.2.1:80"));
  assertEquals([table.size, table.ports], [0, 0]);
});

test("AddressTable.connect() of a descriptor keeps its address, which rests for others", async () => {
  const transport = new FakeTransport();
  const table = new AddressTable({ transport, source: hostAddresses([A, B]) });
  const descriptor = await table.create();
  const connecting = rejection(table.connect(descriptor, ONE));
  transport.connects[0]!.fail(failed("unreachable"));
  assertEquals((await connecting as JackfieldError).reason, "unreachable");
  assertEquals(transport.connects.length, 1);
  const others = [await table.create({ target: ONE }), await table.create({ target: ONE })];
  assertEquals(others.map((other) => table.addressOf(other).hostname), [B, B]);
  await table.closeAll();
});

test("AddressTable lets an address rest longer after each failure in a row, up to a minute (2)", async () => {
  const transport = new FakeTransport();
  const clock = new VirtualClock();
  const table = new AddressTable({ transport, source: hostAddresses([A]), clock });
  const rests: (number | null)[] = [];
  const attempt = async (settleIt: () => void) => {
    const connecting = table.connect(ONE).catch(() => {});
    settleIt();
    await connecting;
    rests.push(table.state().rests[0]?.endsInMs ?? 0);
  };
  // With a single address it is used all the same: the rest is a preference.
  for (let at = 0; at < 8; at++) {
    await attempt(() => transport.connects.at(-1)!.fail(failed("unreachable")));
    if (at % 2 === 0) await clock.advance(100_000);
  }
  assertEquals(rests, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  await attempt(() => transport.connects.at(-1)!.open());
  await attempt(() => transport.connects.at(-1)!.fail(failed("unreachable")));
  assertEquals(rests.slice(-2), [0, 1000]);
  await attempt(() => transport.connects.at(-1)!.fail(failed("refused"))); // Speaks of the target.
  assertEquals(rests.at(-1), 1000);
  await table.closeAll();
});

test("AddressTable follows a rule of the user's own", async () => {
  const transport = new FakeTransport();
  const seen: Partial<AddressFailure>[] = [];
  const clock = new VirtualClock();
  const table = new AddressTable({
    transport,
    source: hostAddresses([A, B]),
    clock,
    restAfter: (failure) => {
      seen.push(failure);
      return isJackfieldError(failure.error) && failure.error.reason === "refused" ? 500 : 0;
    },
  });
  const connecting = table.connect(ONE);
  const refused = failed("refused");
  transport.connects[0]!.fail(refused);
  await settle();
  assertEquals(seen, [{ error: refused, localAddress: A, target: "192.0.2.1:80", failures: 1 }]);
  transport.connects[1]!.fail(failed("unreachable"));
  assertEquals((await rejection(connecting) as JackfieldError).reason, "unreachable");
  assertEquals(table.state().rests, [
    { localAddress: A, target: "192.0.2.1:80", endsInMs: 500, why: "failed" },
  ]);
});

test("AddressTable asks the address whose rest ends first when all of them rest after failures", async () => {
  const transport = new FakeTransport();
  const clock = new VirtualClock();
  const table = new AddressTable({ transport, source: hostAddresses(THREE), clock });
  const first = rejection(table.connect(ONE));
  for (let at = 0; at < 3; at++) {
    transport.connects[at]!.fail(failed("unreachable"));
    await settle();
    await clock.advance(10);
  }
  assertEquals((await first as JackfieldError).reason, "unreachable");
  assertEquals(transport.connects.length, 3); // A second try would only repeat the failure.
  table.ban(A, ONE);
  const second = table.connect(ONE);
  transport.connects[3]!.open();
  await second;
  assertEquals(transport.connects[3]!.options.localAddress, B);
  await table.closeAll();
});

test("AddressTable.connect(target) goes on to an address that has ports left for the target", async () => {
  const { table } = await scene({
    ports: { from: 5000, to: 5009 },
    strategy: (all) => all.find(({ hostname }) => hostname === A) ?? all[0],
  });
  const sockets = await Promise.all(Array.from({ length: 30 }, () => table.connect(ONE)));
  const more = await Promise.all(Array.from({ length: 30 }, () => table.connect(TWO)));
  const tuples = [...sockets, ...more].map(({ localAddress, remoteAddress }) =>
    JSON.stringify([localAddress, remoteAddress])
  );
  assertEquals(new Set(tuples).size, 60);
  const error = await rejection(table.connect(ONE));
  assertEquals([error.code, (error as JackfieldError).limit], ["ADDRESS_EXHAUSTED", 10]);
  assertEquals([table.size, table.ports], [60, 60]);
  await table.closeAll();
});

test("restAfterFailure() speaks of nothing but the address", () => {
  const address = { hostname: "::1", port: 1 };
  const restOf = (code: string, failures = 1) =>
    restAfterFailure({
      error: connectionError("connect", address, Object.assign(new Error(code), { code })),
      localAddress: "::1",
      target: "[::1]:1",
      failures,
    });
  assertEquals([restOf("ENETUNREACH"), restOf("EADDRNOTAVAIL", 3)], [1000, 4000]);
  for (const code of ["ECONNREFUSED", "ETIMEDOUT", "EMFILE", "ENOTFOUND", "EADDRINUSE"]) {
    assertEquals(restOf(code), 0, code);
  }
  const gaveUp = { error: new Error("gave up"), localAddress: "::1", target: "", failures: 1 };
  assertEquals(restAfterFailure(gaveUp), 0);
});

test("Rests bounds what it keeps of failures, and forgets what is over", async () => {
  const clock = new VirtualClock();
  const rests = new Rests(clock);
  for (let at = 0; at < 100_000; at++) {
    rests.ask(`a${at}`, `t${at}`, 10);
    if (at % 100 === 0) await clock.advance(1);
  }
  assertEquals(rests.size < 5000, true, `${rests.size} asked`);
  for (let at = 0; at < 30_000; at++) rests.fail(`a${at}`, `t${at % 100}`, 10_000);
  assertEquals(rests.size <= 15_000, true, `${rests.size} failed`);
  assertEquals(rests.find("a29999", "t99")?.asked, false); // The latest are kept.
});
