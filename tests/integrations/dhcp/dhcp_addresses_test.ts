// The client against a server in memory: what it sends, what it keeps, and what it makes of silence.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { dhcpAddresses } from "../../../src/integrations/dhcp/mod.ts";
import { JackfieldError, unsupported } from "../../../src/core.ts";
import { memoryTransport } from "../../../src/testing/mod.ts";
import { AddressTable } from "../../../src/core.ts";
import { colonHex } from "../../../src/integrations/dhcp/identity.ts";
import { type DhcpMessage, OPTION } from "../../../src/integrations/dhcp/message.ts";
import { test } from "../../harness.ts";
import { rejection } from "../../transport/tools.ts";
import { fakeInterfaces, OWN, SERVER } from "./fake_server.ts";
import { scene, TARGET } from "./scene.ts";

test("dhcpAddresses() leases an address for each descriptor, and gives it back (A4, RFC 2131)", async () => {
  const { server, source, table, within } = await scene();
  const [one, two] = await within(Promise.all([table.create(), table.create()]), 5000);
  assertEquals(server.leased, ["10.7.0.2", "10.7.0.3"]);
  const state = table.state();
  assertEquals(state.addresses.map(({ hostname }) => hostname).toSorted(), server.leased);
  for (const { hostname, owner } of state.addresses) {
    assertEquals(server.bindings.get(hostname)!.owner, owner);
  }
  assertEquals([state.source, state.leaseable, source.stats().leased], ["DHCP on eth0", 256, 2]);
  await within(Promise.all([table.close(one), table.close(two)]), 100);
  assertEquals([server.leased, source.stats().leased, server.bound], [[], 0, 0]);
  assertEquals(server.heard.filter((kind) => kind === "release").length, 2);
});

test("dhcpAddresses() leases 200 at once, though the server offers one address to all who ask together", async () => {
  const { clock, server, source, table } = await scene();
  const made = Promise.all(Array.from({ length: 200 }, () => table.create()));
  await clock.advance(5000);
  assertEquals(new Set((await made).map((one) => table.addressOf(one).hostname)).size, 200);
  assertEquals([server.leased.length, source.stats().resent], [200, 0]);
  assert(source.stats().duplicates > 0);
  const closing = table.closeAll();
  await clock.advance(5000);
  await closing;
  assertEquals([server.leased.length, server.bound, clock.pending], [0, 0, 0]);
});

test("dhcpAddresses() renews at T1 with its server, and again", async () => {
  const { clock, server, table, within } = await scene({
    server: { leaseSeconds: 600, renewSeconds: 200, rebindSeconds: 500 },
  });
  await within(table.create(), 10);
  server.heard.length = 0;
  await clock.advance(188_000); // T1 less the half of a tenth that it is spread over.
  assertEquals(server.heard, []);
  await clock.advance(3000);
  assertEquals(server.heard, ["request"]);
  await clock.advance(1_000_000);
  assertEquals(server.heard.length, 6);
  assertEquals([server.leased.length, table.state().addresses[0]!.state], [1, "leased"]);
  await within(table.closeAll(), 10);
});

test("dhcpAddresses() asks every server at T2, and loses the lease when none has answered at its end", async () => {
  const { clock, server, source, table, within, errors } = await scene();
  const socket = await within(table.connect(TARGET), 10);
  server.isSilent = true;
  await clock.advance(598_000);
  assertEquals([socket.state, server.leased.length], ["open", 1]);
  const { resent } = source.stats();
  assert(resent >= 3, `${resent}`);
  await clock.advance(500); // A second and a thousandth before the server's own end.
  assertEquals((await rejection(socket.closed)).code, "ADDRESS_LEASE_LOST");
  assertEquals([server.leased.length, table.size, errors], [1, 0, []]);
  assertEquals(server.heard.filter((kind) => kind === "release"), []); // It may be somebody else's.
  assertEquals([server.bound, source.stats().leased], [0, 0]);
});

test("dhcpAddresses() keeps a lease that another request of the same renewal is answered for", async () => {
  const { clock, server, source, table, within } = await scene();
  const descriptor = await within(table.create(), 10);
  server.isSilent = true;
  await clock.advance(400_000);
  server.isSilent = false;
  await clock.advance(600_000);
  assertEquals(table.addressOf(descriptor).hostname, "10.7.0.2");
  assert(source.stats().resent > 0);
  await within(table.closeAll(), 10);
});

test("dhcpAddresses() loses a lease that its server refuses to renew (DHCPNAK), and its sockets", async () => {
  const { clock, server, source, table, within } = await scene();
  const socket = await within(table.connect(TARGET), 10);
  server.isRefusing = true;
  await clock.advance(300_000);
  const error = await rejection(socket.closed);
  assertEquals(error.code, "ADDRESS_LEASE_LOST");
  assertStringIncludes(error.message, "refused to renew");
  assertEquals([source.stats().refused, source.stats().leased, server.bound], [1, 0, 0]);
});

test("dhcpAddresses() declines an address that somebody else has, and takes the next one (RFC 2131, 3.1)", async () => {
  const others = new Set(["10.7.0.2", "10.7.0.3"]);
  const probe = (hostname: string) => Promise.resolve(others.has(hostname));
  const { server, source, table, within } = await scene({ dhcp: { probe } });
  const descriptor = await within(table.create(), 10_000);
  assertEquals(table.addressOf(descriptor).hostname, "10.7.0.4");
  assertEquals([...server.declined], ["10.7.0.2", "10.7.0.3"]);
  const { conflicts, conflictCheck } = source.stats();
  assertEquals([conflicts, conflictCheck], [2, "function"]);
  for (let at = 5; at < 10; at++) others.add(`10.7.0.${at}`);
  const error = await rejection(within(table.create(), 10_000));
  assertEquals([error.code, (error as JackfieldError).localAddress], [
    "ADDRESS_IN_USE",
    "10.7.0.7",
  ]);
  await within(table.closeAll(), 100);
  assertEquals([server.leased, server.bound], [[], 0]);
});

test("dhcpAddresses() finds a server that gives one address twice", async () => {
  const { server, table, within } = await scene({ server: { ignoresIdentifiers: true } });
  const first = await within(table.create(), 100);
  const error = await rejection(within(table.create(), 30_000));
  assertEquals([error.code, (error as JackfieldError).localAddress], [
    "ADDRESS_IN_USE",
    "10.7.0.2",
  ]);
  assertStringIncludes(error.message, `the DHCP server ${SERVER} gives 10.7.0.2 twice`);
  assertEquals(server.leased, ["10.7.0.2"]); // The first one still has it.
  assertEquals(table.addressOf(first).hostname, "10.7.0.2");
  await within(table.closeAll(), 100);
});

test("dhcpAddresses() says when no server answers, and what to look for", async () => {
  const { clock, server, source, table } = await scene();
  server.isSilent = true;
  let failure: JackfieldError | undefined;
  const creating = table.create().catch((error) => failure = error);
  await clock.advance(14_999);
  assertEquals([failure, server.heard], [undefined, ["discover", "discover", "discover"]]);
  await clock.advance(1);
  await creating;
  assertEquals([failure?.code, failure?.reason], ["ADDRESS_EXHAUSTED", "timeout"]);
  assertStringIncludes(failure!.message, "no DHCP server answered within 15000 ms");
  assertEquals([source.stats().unanswered, server.bound, clock.pending], [1, 0, 0]);
  // Who comes right after it does not wait for the same; later it is tried again.
  assertEquals((await rejection(table.create())).code, "ADDRESS_EXHAUSTED");
  await clock.advance(5000);
  server.isSilent = false;
  const created = table.create();
  await clock.advance(10);
  await created;
  const closing = table.closeAll();
  await clock.advance(10);
  await closing;
});

test("dhcpAddresses() takes the silence of a server that has given addresses for its last word", async () => {
  const { clock, server, table, within } = await scene({ server: { size: 3 } });
  const made = Promise.all([table.create(), table.create()]); // Of three, one is the server's own.
  await clock.advance(100);
  await made;
  const error = await rejection(within(table.create(), 20_000));
  assertEquals(error.code, "ADDRESS_EXHAUSTED");
  assertStringIncludes(error.message, "no address of DHCP on eth0 is free");
  const [first] = await made;
  await within(table.close(first!), 10);
  await within(table.create(), 100); // At once: something has come back.
  assertEquals(server.leased.length, 2);
  await within(table.closeAll(), 100);
});

test("dhcpAddresses() has no more leases than maxLeases", async () => {
  const { server, table, within } = await scene({ dhcp: { maxLeases: 2 } });
  await within(Promise.all([table.create(), table.create()]), 100);
  assertEquals((await rejection(within(table.create(), 0))).code, "ADDRESS_EXHAUSTED");
  assertEquals(server.leased.length, 2);
  await within(table.closeAll(), 100);
});

test("dhcpAddresses() gives the table another address when the first one rests for its target", async () => {
  const { server, table, within } = await scene();
  table.ban("10.7.0.2", TARGET);
  const socket = await within(table.connect(TARGET), 1000);
  assertEquals(socket.localAddress.hostname, "10.7.0.3");
  assertEquals(server.leased, ["10.7.0.3"]); // What it could not use went back.
  await within(socket.close(), 100);
  await within(table.closeAll(), 100);
});

test("dhcpAddresses() asks by broadcast when the interface has no address", async () => {
  const { clock, server, table, within } = await scene({ own: "" });
  const bound: [string, number][] = [];
  const open = server.open.bind(server);
  server.open = (options) => {
    bound.push([options.hostname, options.port]);
    return open(options);
  };
  await within(table.create(), 10);
  assertEquals(bound, [["0.0.0.0", 68]]);
  await clock.advance(1_000_000);
  assertEquals(server.leased, ["10.7.0.2"]); // Renewed without an address to be answered under.
  await within(table.closeAll(), 10);
});

test("dhcpAddresses() leases the same address after a restart, from its state file (INIT-REBOOT)", async () => {
  const { clock, server, disk, table, start, within } = await scene({
    dhcp: { stateFile: "/state.json" },
    table: { exclusive: false }, // The table of the killed program would still hold its addresses here.
  });
  const made = await within(Promise.all(Array.from({ length: 4 }, () => table.create())), 1000);
  const before = made.map((one) => table.addressOf(one).hostname);
  await within(table.close(made[0]!), 100);
  // The program is killed: it gives nothing back, and another one starts.
  const text = new TextDecoder().decode(disk.contents.get("/state.json"));
  assertEquals(JSON.parse(text).leases.length, 3);
  server.heard.length = 0;
  const next = start();
  const again = Promise.all(Array.from({ length: 3 }, () => next.table.create()));
  await clock.advance(1000);
  const after = (await again).map((one) => next.table.addressOf(one).hostname);
  assertEquals(after.toSorted(), before.slice(1).toSorted());
  assertEquals(server.heard, ["request", "request", "request"]);
  const tokens = next.table.state().addresses.map(({ token }) => BigInt(token!));
  assert(tokens.every((token) => token > BigInt(JSON.parse(text).token)));
  await within(next.table.closeAll(), 1000);
  assertEquals([server.leased.length, disk.contents.size], [0, 1]);
});

test("dhcpAddresses() begins anew when a server does not know, or refuses, what the state file says", async () => {
  const { clock, server, start, disk, within } = await scene({
    dhcp: { stateFile: "/state.json" },
  });
  for (const hostname of ["10.7.0.9", "192.168.1.1"]) { // Unknown: silence. Of another network: NAK.
    const owner = "5f0d3c1a-7b52-4f4e-9a55-1b6f2f6a9c01";
    const state = {
      jackfield: "dhcp",
      version: 1,
      owner,
      token: 7,
      leases: [{ slot: 3, hostname }],
    };
    disk.contents.set("/state.json", new TextEncoder().encode(JSON.stringify(state)));
    const { table } = start();
    const creating = table.create();
    await clock.advance(10_000);
    const expected = hostname.startsWith("10.7.") ? hostname : "10.7.0.2"; // Asked for, at least.
    assertEquals(table.addressOf(await creating).hostname, expected);
    await within(table.closeAll(), 100);
  }
  assertEquals(server.leased, []);
});

test("dhcpAddresses() refuses a state file that is none, and gives back what it cannot write down", async () => {
  const { server, start, disk, within, table } = await scene({
    dhcp: { stateFile: "/state.json" },
  });
  for (const text of ["", "{}", '{"jackfield":"dhcp","version":2}', "\0", "[]", "null"]) {
    disk.contents.set("/state.json", new TextEncoder().encode(text));
    const error = await rejection(within(start().table.create(), 10));
    assertEquals(error.code, "FILE_FAILED");
    assertStringIncludes(error.message, 'state file "/state.json"');
  }
  disk.contents.clear();
  disk.failure = new JackfieldError("FILE_FAILED", "the disk is full");
  assertEquals(await rejection(within(table.create(), 1000)), disk.failure);
  assertEquals([server.leased, server.bound], [[], 0]);
});

test("dhcpAddresses() passes on what sending fails with, and has nothing open then", async () => {
  const { server, table, within } = await scene();
  server.isUnreachable = true;
  assertEquals((await rejection(within(table.create(), 10))).message, "unreachable");
  assertEquals([server.bound, table.size], [0, 0]);
});

test("dhcpAddresses() ignores answers that are not for it, and counts them", async () => {
  const with61 = (reply: DhcpMessage, value: Uint8Array) =>
    new Map([...reply.options, [OPTION.clientIdentifier, value]]);
  const alterations: ((reply: DhcpMessage) => DhcpMessage)[] = [
    (reply) => ({ ...reply, transactionId: (reply.transactionId ^ 1) >>> 0 }),
    (reply) => ({ ...reply, hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, 9) }),
    (reply) => ({ ...reply, relayAddress: "10.7.255.9" }),
    (reply) => ({ ...reply, options: with61(reply, Uint8Array.of(1, 2, 3)) }),
  ];
  for (const alter of alterations) {
    const { source, table, within, server } = await scene({ server: { alter } });
    assertEquals((await rejection(within(table.create(), 20_000))).code, "ADDRESS_EXHAUSTED");
    assertEquals([source.stats().foreign, source.stats().malformed, server.leased], [3, 0, []]);
  }
  const nonsense = (reply: DhcpMessage) => ({ ...reply, operation: 1 as const });
  const { source, table, within } = await scene({ server: { alter: nonsense } });
  assertEquals((await rejection(within(table.create(), 20_000))).code, "ADDRESS_EXHAUSTED");
  assertEquals([source.stats().foreign, source.stats().malformed], [0, 3]);
});

test("dhcpAddresses() takes no other address, and no refusal, of a server that it has not asked", async () => {
  let isOther = false;
  const alter = (reply: DhcpMessage): DhcpMessage => {
    if (!isOther || reply.options.get(OPTION.messageType)![0] === 2) return reply;
    return { ...reply, yourAddress: "10.7.0.99" };
  };
  const { clock, source, table, within } = await scene({ server: { alter } });
  const socket = await within(table.connect(TARGET), 10);
  isOther = true; // The answer to a renewal names another address: it renews nothing.
  await clock.advance(599_000);
  assertEquals((await rejection(socket.closed)).code, "ADDRESS_LEASE_LOST");
  assertEquals(source.stats().foreign, source.stats().resent + 1);
});

test("dhcpAddresses() says what to do when its port is taken or forbidden", async () => {
  const { server, table, within } = await scene();
  const advice = {
    "address-in-use": "one process leases for all",
    permission: "CAP_NET_BIND_SERVICE",
  } as const;
  for (const [reason, words] of Object.entries(advice)) {
    const refusal = new JackfieldError("LISTEN_FAILED", "Cannot listen", {
      reason: reason as keyof typeof advice,
    });
    server.open = () => Promise.reject(refusal);
    const error = await rejection(within(table.create(), 10)) as JackfieldError;
    assertEquals([error.code, error.reason, error.cause], ["LISTEN_FAILED", reason, refusal]);
    assertStringIncludes(error.message, words);
  }
});

test("dhcpAddresses() binds its port again when the socket fails by itself", async () => {
  const { clock, server, table, within } = await scene();
  await within(table.create(), 10);
  server.breaks[0]!();
  assertEquals(server.bound, 0);
  await clock.advance(600_000); // Renewed over another one.
  assertEquals([server.bound, server.breaks.length, table.state().addresses.length], [1, 2, 1]);
  await within(table.closeAll(), 10);
  assertEquals(server.bound, 0);
});

test("dhcpAddresses() makes up a hardware address where the system tells none", async () => {
  const seen: string[] = [];
  const alter = (reply: DhcpMessage) => {
    seen.push(colonHex(reply.hardwareAddress));
    return reply;
  };
  const { interfaces, table, within } = await scene({
    server: { alter },
    dhcp: { owner: "5f0d3c1a-7b52-4f4e-9a55-1b6f2f6a9c01" },
  });
  interfaces.hardwareAddress = () => undefined;
  await within(table.create(), 10);
  assertEquals(new Set(seen), new Set(["1a:6f:2f:6a:9c:01"])); // Locally administered, of one host.
  await within(table.closeAll(), 10);
});

test("dhcpAddresses() leases nothing for IPv6", async () => {
  const { server, table, within } = await scene();
  const target = { hostname: "2001:db8::1", port: 80 };
  assertEquals((await rejection(within(table.create({ target }), 10))).code, "ADDRESS_EXHAUSTED");
  assertEquals(server.heard, []);
});

test("dhcpAddresses() refuses options that cannot work, and shows them", async () => {
  const bad: [Parameters<typeof dhcpAddresses>[0], string][] = [
    [{ interface: "" }, 'interface ""'],
    [{ interface: "eth0:1" }, 'interface "eth0:1"'],
    [{ interface: "eth0", server: "dhcp.test" }, 'server "dhcp.test"'],
    [{ interface: "eth0", server: "10.0.0.256" }, 'server "10.0.0.256"'],
    [{ interface: "eth0", localAddress: "::1" }, 'localAddress "::1"'],
    [{ interface: "eth0", owner: "me" }, 'owner "me"'],
    [{ interface: "eth0", stateFile: "" }, 'stateFile ""'],
    [{ interface: "eth0", maxLeases: 0 }, 'maxLeases "0"'],
    [{ interface: "eth0", maxLeases: 1.5 }, 'maxLeases "1.5"'],
    [{ interface: "eth0", leaseMs: 10 }, 'leaseMs "10"'],
    [{ interface: "eth0", timeoutMs: Infinity }, 'timeoutMs "Infinity"'],
  ];
  for (const [options, words] of bad) assertThrows(() => dhcpAddresses(options), Error, words);
  const { server } = await scene();
  const make = (options: Parameters<typeof dhcpAddresses>[0], host: object = {
    datagrams: server,
    interfaces: fakeInterfaces(),
  }) => new AddressTable({ transport: memoryTransport({ host }), source: dhcpAddresses(options) });
  assertThrows(() => make({ interface: "eth7" }), TypeError, 'interface "eth7"');
  assertThrows(() => make({ interface: "eth7" }), TypeError, "those with an address: eth0");
  assertThrows(
    () => make({ interface: "eth0", localAddress: "10.7.9.9" }),
    TypeError,
    `localAddress "10.7.9.9": eth0 has ${OWN}`,
  );
  const none = Object.assign(fakeInterfaces(), { list: () => [] });
  assertThrows(
    () => make({ interface: "eth0", server: SERVER }, { datagrams: server, interfaces: none }),
    TypeError,
    "eth0 has no IPv4 address of its own",
  );
  const missing = assertThrows(() => make({ interface: "eth0" }, {})) as JackfieldError;
  assertEquals(missing.code, unsupported("", "").code);
});

test("dhcpAddresses() serves one table at a time", async () => {
  const { table, source, within } = await scene();
  const host = { datagrams: (await scene()).server, interfaces: fakeInterfaces() };
  const other = () => new AddressTable({ transport: memoryTransport({ host }), source });
  await within(table.create(), 10);
  assertThrows(other, TypeError, "two address tables");
  await within(table.closeAll(), 100);
  other();
});
