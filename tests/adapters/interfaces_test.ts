// The host's interfaces where nothing may be changed; tests/namespaces/ shows what they change.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { systemTransport } from "../../src/system_transport.ts";
import { JackfieldError } from "../../src/transport/mod.ts";
import { runtime, test } from "../harness.ts";
import type { Outcome } from "../namespaces/serve_lines.ts";

const CHILD = fileURLToPath(new URL("../namespaces/interfaces_child.ts", import.meta.url));
const interfaces = systemTransport().host.interfaces!;

/** Ask a child that is started by these words, in Deno with these permissions. */
function ask<T>(
  question: unknown,
  words: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  permissions: readonly string[] = ["--allow-all"],
): Outcome<T> {
  const flags = {
    deno: ["run", "--quiet", "--no-check", "--no-prompt", ...permissions],
    bun: [],
    node: ["--disable-warning=ExperimentalWarning"],
  }[runtime];
  const [command, ...args] = [...words, process.execPath, ...flags, CHILD];
  const input = `${JSON.stringify(question)}\n`;
  const options = { input, encoding: "utf8", env: { ...process.env, ...env } } as const;
  const { stdout, stderr } = spawnSync(command!, args, options);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

test("Interfaces.list() gives each address with its interface, prefix and scope", () => {
  const list = interfaces.list();
  const loopback = list.find(({ hostname }) => hostname === "127.0.0.1")!;
  const { family, prefixLength, scope } = loopback;
  assertEquals({ family, prefixLength, scope }, { family: 4, prefixLength: 8, scope: "host" });
  assert(loopback.interface.length > 0);
  for (const { hostname, family, scope } of list) {
    assertEquals(hostname.includes("%"), false); // No zone.
    assertEquals(family, hostname.includes(":") ? 6 : 4);
    if (hostname.startsWith("fe80:")) assertEquals(scope, "link");
  }
});

test("Interfaces.assign() and checkRoute() refuse arguments that mean nothing", async () => {
  const good = { hostname: "10.8.0.20", interface: "wire", validMs: 60_000 };
  const bad: readonly [change: Partial<typeof good> & { label?: string }, text: string][] = [
    [{ hostname: "localhost" }, '"localhost"'],
    [{ hostname: "fe80::1%lo" }, '"fe80::1%lo"'],
    [{ hostname: "10.8.0.20/24" }, '"10.8.0.20/24"'],
    [{ interface: "" }, 'interface ""'],
    [{ interface: "two words" }, '"two words"'],
    [{ interface: "wire:1" }, '"wire:1"'],
    [{ validMs: 999 }, '"999"'],
    [{ validMs: NaN }, '"NaN"'],
    [{ validMs: Infinity }, '"Infinity"'],
    [{ label: "jf" }, '"wire:"'],
    [{ label: "wire:eleven-chars" }, '"wire:eleven-chars"'],
    [{ label: "wire:a b" }, '"wire:a b"'],
  ];
  for (const [change, text] of bad) {
    const error = await assertRejects(() => interfaces.assign({ ...good, ...change }), Error);
    assert(error instanceof TypeError || error instanceof RangeError, String(error));
    assertStringIncludes(error.message, text);
  }
  await assertRejects(() => interfaces.checkRoute("::1", "127.0.0.1"), TypeError, '"::1"');
  await assertRejects(() => interfaces.checkRoute("localhost", "127.0.0.1"), TypeError, "literal");
});

const linux = process.platform !== "linux" && "needs Linux";
const noIp = linux || (spawnSync("ip", ["-V"]).status !== 0 && "needs ip(8)");

test("Interfaces.checkRoute() passes what stays on this host", { skip: noIp }, async () => {
  await interfaces.checkRoute("127.0.0.1", "127.0.0.9");
  const error = await assertRejects(
    () => interfaces.checkRoute("127.0.0.1", "192.0.2.1"),
    JackfieldError,
    "Cannot reach 127.0.0.1 from 192.0.2.1: the address is not on this host; missing: ip address",
  );
  assertEquals([error.code, error.localAddress], ["ADDRESS_ASSIGN_FAILED", "192.0.2.1"]);
});

/** Words that start a program without the right to change interfaces (capabilities(7)). */
const powerless = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-net_admin"] : [];
const noWay = noIp ||
  (powerless.length > 0 && spawnSync("setpriv", ["-V"]).status !== 0 && "needs setpriv(1)");

test("Interfaces.assign() without the right names the command", { skip: noWay }, () => {
  const cases = [
    ["10.8.0.20", "ip address add 10.8.0.20/32 dev lo"],
    ["2001:DB8::0020", "ip address add 2001:db8::20/128 dev lo preferred_lft 0 nodad"],
  ];
  for (const [hostname, command] of cases) {
    const options = { hostname, interface: "lo", validMs: 60_000 };
    const { code, message } = ask(["assign", options], powerless);
    assertEquals(code, "ADDRESS_ASSIGN_FAILED");
    const why = "the right to change interfaces is missing (CAP_NET_ADMIN)";
    const [, short] = command!.split("add ");
    assertEquals(
      message,
      `Cannot add ${short!.split("/")[0]} to lo: ${why}; an administrator runs: ${command}`,
    );
  }
});

test("Interfaces.assign() without ip(8) says so, and names the command", { skip: linux }, () => {
  const options = { hostname: "10.8.0.20", interface: "lo", validMs: 60_000 };
  const { code, message } = ask(["assign", options], [], { PATH: "/nowhere" });
  assertEquals(code, "ADDRESS_ASSIGN_FAILED");
  assertStringIncludes(message!, "this host has no ip(8); an administrator runs: ip address add");
});

test(
  "Interfaces in Deno: say which permission is missing",
  { skip: runtime !== "deno" && "needs Deno" },
  () => {
    const options = { hostname: "10.8.0.20", interface: "lo", validMs: 60_000 };
    const cases: [unknown[], string[], string][] = [
      [["list"], ["--allow-net"], "--allow-sys=networkInterfaces"],
      [["assign", options], ["--allow-net"], "--allow-run=ip"],
      [["assign", options], ["--allow-run=ip"], "--allow-net"],
      [["removeLeftovers"], ["--allow-net"], "--allow-run=ip"],
      [["checkRoute", "127.0.0.1", "127.0.0.2"], ["--allow-net"], "--allow-run=ip"],
    ];
    for (const [question, granted, permission] of cases) {
      const answer = ask(question, [], {}, granted);
      assertEquals([answer.code, answer.permission], ["PERMISSION_DENIED", permission]);
      assertStringIncludes(answer.message!, `run with ${permission}`);
    }
    const route = ["checkRoute", "127.0.0.1", "127.0.0.2"];
    assertEquals(ask(route, [], {}, ["--allow-run=ip"]), { value: null });
    const { value } = ask<unknown[]>(["list"], [], {}, ["--allow-sys=networkInterfaces"]);
    assert(value!.length > 0);
  },
);
