// `jackfield addresses` in this process: what it prints, and its exit codes.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { AddressTable, hostAddresses, systemTransport } from "../../mod.ts";
import { test } from "../harness.ts";
import { runMain } from "./tools.ts";

const transport = systemTransport();
const noProc = !canRead("/proc/net/tcp") && "needs /proc/net";

const noIp = spawnSync("ip", ["-V"]).status !== 0 && "needs ip(8)";

function canRead(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

/** What --json prints. */
interface Found {
  readonly leaseable: number;
  readonly addresses: { hostname: string; interface?: string; scope?: string }[];
  readonly ports: { from: number; to: number; source: string };
  readonly held: { exclusive: string[]; added: string[] } | null;
  readonly used: { localAddress: string; destination: string; ports: number }[] | null;
  readonly check?: {
    readonly target: string;
    readonly from: { localAddress: string; connected: boolean; why?: string }[];
  };
}

async function json(code: number, ...words: string[]): Promise<Found> {
  const ended = await runMain("addresses", "--json", ...words);
  assertEquals([ended.code, ended.stderr], [code, ""]);
  assertEquals(ended.stdout.trimEnd().includes("\n"), false);
  return JSON.parse(ended.stdout);
}

/** Run with a listener, and with a port where nobody listens. */
async function listening(run: (open: string, closed: string) => Promise<void>): Promise<void> {
  const hostname = "127.0.0.1";
  const listener = await transport.listen({ hostname });
  const other = await transport.listen({ hostname });
  await other.close();
  const accepting = (async () => {
    for await (const socket of listener) await socket.close();
  })();
  try {
    await run(`${hostname}:${listener.address.port}`, `${hostname}:${other.address.port}`);
  } finally {
    await listener.close();
    await accepting;
  }
}

test("jackfield addresses --help fits 80 columns and names every flag", async () => {
  const { code, stdout } = await runMain("addresses", "--help");
  assertEquals(code, 0);
  for (const text of ["--addresses", "--check", "--json", "Exit codes"]) {
    assertStringIncludes(stdout, text);
  }
  for (const line of stdout.split("\n")) assert(line.length <= 80, line);
  assertStringIncludes((await runMain("--help")).stdout, "  addresses ");
});

test("jackfield addresses shows what the interfaces have, and the ports", async () => {
  const { code, stdout, stderr } = await runMain("addresses");
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^Addresses that can be leased: \d+\n/);
  assertMatch(stdout, /^ {2}127\.0\.0\.1 +\S+ +host/m);
  assertMatch(stdout, /^Ports \d+ to \d+ for each address and destination: [\d,]+$/m);
  assertMatch(stdout, /^ {2}the (system's|usual) range/m);
  for (const line of stdout.split("\n")) assert(line.length <= 80, line);
});

test("jackfield addresses takes a list, and prints JSON in one line", async () => {
  const found = await json(0, "--addresses", "127.0.0.1,127.0.1.0/28,10.0.0.1-10.0.0.3");
  assertEquals(found.leaseable, 1 + 14 + 3);
  assertEquals(found.addresses.length, 18);
  assertEquals(found.addresses[0]!.scope, "host");
  assertEquals(found.addresses.at(-1), { hostname: "10.0.0.3" });
  assert(found.ports.from < found.ports.to);
  const { stdout } = await runMain("addresses", "--addresses", "127.0.1.0/24");
  assertStringIncludes(stdout, "can be leased: 254\n");
  assertStringIncludes(stdout, "\n  and 230 more\n");
});

test("jackfield addresses says what is wrong with its words, with exit code 2", async () => {
  const cases: [string[], string][] = [
    [["--nonsense"], "--nonsense"],
    [["more"], "'more'"],
    [["--check", "nonsense"], '"nonsense"'],
    [["--check", "127.0.0.1:70000"], '"70000"'],
    [["--addresses", "nowhere"], "nowhere"],
    [["--addresses", ""], '""'],
    [["--addresses", "127.0.0.1,127.0.0.1"], "twice"],
  ];
  for (const [words, text] of cases) {
    const { code, stdout, stderr } = await runMain("addresses", ...words);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, /^jackfield: [^\n]{10,250}\n$/);
    assertStringIncludes(stderr, text);
  }
});

test("jackfield addresses --check connects from each address", () =>
  listening(async (open, closed) => {
    const list = ["--addresses", "127.0.0.2,127.0.0.3"];
    const { check } = await json(0, "--check", open, ...list);
    assertEquals(check!.target, open);
    assertEquals(check!.from.map(({ localAddress, connected }) => [localAddress, connected]), [
      ["127.0.0.2", true],
      ["127.0.0.3", true],
    ]);
    const { stdout } = await runMain("addresses", "--check", open, ...list);
    assertMatch(stdout, /^To \S+ from\n( {2}127\.0\.0\.[23] {2}connected in [\d.]+ ms\n){2}$/);

    const refused = await json(1, "--check", closed, ...list);
    for (const { connected, why } of refused.check!.from) {
      assertEquals([connected, why], [false, "nothing listens there"]);
    }
    // From what the interfaces have; ::1 cannot lead there.
    const own = await json(0, "--check", open);
    assert(own.check!.from.some(({ localAddress }) => localAddress === "127.0.0.1"));
    assertEquals(own.check!.from.every(({ localAddress }) => !localAddress.includes(":")), true);
  }));

test("jackfield addresses --check says what is missing, at 80 columns", () =>
  listening(async (open) => {
    const words = ["--check", open, "--addresses", "127.0.0.2,192.0.2.1"];
    const { code, stdout } = await runMain("addresses", ...words);
    assertEquals(code, 1);
    assertMatch(stdout, /^ {2}127\.0\.0\.2 {2}connected in/m);
    assertMatch(stdout, /^ {2}192\.0\.2\.1 {2}no: the address is not on this host/m);
    for (const line of stdout.split("\n")) assert(line.length <= 80, line);
    // Of a large block any address is tried.
    const large = await json(1, "--check", "[::1]:9", "--addresses", "2001:db8::/64");
    assertMatch(large.check!.from[0]!.localAddress, /^2001:db8::/);
    const none = await runMain("addresses", "--check", open, "--addresses", "::1");
    assertEquals([none.code, none.stdout], [1, `No address of this host could lead to ${open}\n`]);
    const unknown = await runMain("addresses", "--check", "name.invalid:80");
    assertEquals(unknown.code, 1);
    assertStringIncludes(unknown.stderr, "name.invalid");
  }));

test(
  "jackfield addresses --check names the command that is missing",
  { skip: noIp },
  () =>
    listening(async (open) => {
      const { check } = await json(1, "--check", open, "--addresses", "192.0.2.1");
      assertMatch(check!.from[0]!.why!, /; missing: ip address add 192\.0\.2\.1\/32 dev \S+$/);
    }),
);

test("jackfield addresses shows what processes of this host hold", { skip: noProc }, async () => {
  const listener = await transport.listen({ hostname: "127.0.0.1" });
  const source = hostAddresses(["127.0.7.7", "127.0.7.8"]);
  const table = new AddressTable({ source, exclusive: true });
  const socket = await table.connect(listener.address);
  const far = await listener.accept();
  try {
    const { hostname } = socket.localAddress;
    const destination = `127.0.0.1:${listener.address.port}`;
    const { held, used } = await json(0);
    assert(held!.exclusive.includes(hostname));
    const line = { localAddress: hostname, destination, ports: 1 };
    // Another process may still have a connection to the port's last owner.
    const own = used!.filter((one) =>
      one.destination === destination && one.localAddress === hostname
    );
    assertEquals(own, [line]);
    const { stdout } = await runMain("addresses", "--addresses", "127.0.7.7,127.0.7.8");
    assertMatch(stdout, new RegExp(`^  ${hostname}  .*leased to one process$`, "m"));
    assertStringIncludes(stdout, `${hostname} to ${destination}\n`);
    // Other tests lease as well.
    const [, leased] = (await runMain("addresses")).stdout.split("Leased to one process: ");
    assertStringIncludes(leased!.split("\n\n", 1)[0]!, hostname);
  } finally {
    await Promise.all([socket.close(), far.close()]);
    await listener.close();
  }
  assertEquals((await json(0)).held!.exclusive.includes("127.0.7.7"), false);
});

test("jackfield addresses shows what published tables lease, and what rests or is banned there", {
  skip: noProc,
}, async () => {
  const listener = await transport.listen();
  const source = hostAddresses(["127.0.7.1", "127.0.7.2", "127.0.7.3"]);
  const table = new AddressTable({ transport, source });
  await table.publish("crawler");
  table.rest("127.0.7.1", listener.address, 30_000);
  table.ban("127.0.7.2");
  const socket = await table.connect(listener.address);
  const { stdout, code } = await runMain("addresses");
  assertEquals(code, 0);
  assertMatch(stdout, /^Table crawler: .*, 1 ports in use$/m);
  assertMatch(stdout, /^ {2}127\.0\.7\.3 {2}leased, 1 descriptors$/m);
  const target = `127.0.0.1:${listener.address.port}`;
  assertStringIncludes(stdout, `  127.0.7.1  rests for 30 s (asked) for ${target}`);
  assertStringIncludes(stdout, "  127.0.7.2  banned for every target");
  await socket.close();
  await table.closeAll();
  await listener.close();
  assertEquals((await runMain("addresses")).stdout.includes("crawler"), false);
});
