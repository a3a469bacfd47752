// Addresses that one descriptor has for itself, also against other processes of the host.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  AddressTable,
  type AddressTableOptions,
  connectionError,
  hostAddresses,
  type JackfieldError,
  type Transport,
} from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { runtime, test } from "../harness.ts";
import { eventually, rejection } from "../transport/tools.ts";
import { skipUnlessHeld, skipUnlessLocal } from "./real.ts";

const skip = await skipUnlessHeld() || await skipUnlessLocal();
const CHILD = fileURLToPath(new URL("../fixtures/exclusive_child.ts", import.meta.url));

function tableOn(transport: Transport, options: Partial<AddressTableOptions> = {}) {
  const source = hostAddresses(["10.0.0.1-10.0.0.3"]);
  return new AddressTable({ transport, source, exclusive: true, ...options });
}

const hostsOf = async (table: AddressTable, count: number) =>
  await Promise.all(
    Array.from({ length: count }, async () => table.addressOf(await table.create()).hostname),
  );

test("AddressTable with exclusive gives each descriptor an address of its own (A3)", async () => {
  const transport = memoryTransport();
  const listener = await transport.listen();
  const table = tableOn(transport);
  assertEquals(await hostsOf(table, 2), ["10.0.0.1", "10.0.0.2"]);
  const socket = await table.connect(listener.address);
  assertEquals(socket.localAddress.hostname, "10.0.0.3");
  const error = await rejection(table.create());
  assertEquals(error.code, "ADDRESS_EXHAUSTED");
  assertStringIncludes(error.message, "10.0.0.1-10.0.0.3");
  await table.close(1);
  assertEquals(await hostsOf(table, 1), ["10.0.0.1"]);
  await socket.close();
  await table.closeAll();
  assertEquals(await hostsOf(tableOn(transport), 3), ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
});

test("AddressTable with exclusive leaves alone what another table has", async () => {
  const transport = memoryTransport();
  const [one, two] = [tableOn(transport), tableOn(transport)];
  assertEquals(await hostsOf(one, 1), ["10.0.0.1"]);
  const both = await Promise.all([hostsOf(one, 1), hostsOf(two, 1)]);
  assertEquals(new Set(["10.0.0.1", ...both.flat()]).size, 3);
  assertEquals((await rejection(one.create())).code, "ADDRESS_EXHAUSTED");
  const error = await rejection(two.create());
  assertEquals(error.code, "ADDRESS_EXHAUSTED");
  assertStringIncludes(error.message, "2 are held by others"); // Not only busy here.
  await one.closeAll();
  assertEquals((await hostsOf(two, 2)).length, 2);
  await two.closeAll();
});

test("AddressTable with exclusive draws an address of a large block that nobody has", async () => {
  const transport = memoryTransport();
  const source = hostAddresses(["10.0.0.0/16"], { random: () => 0.5 });
  const [one, two] = [tableOn(transport, { source }), tableOn(transport, { source })];
  const hosts = (await Promise.all([hostsOf(one, 5), hostsOf(two, 5)])).flat();
  assertEquals(new Set(hosts).size, 10);
  await one.closeAll();
  await two.closeAll();
});

test("AddressTable refuses exclusive where it cannot be kept", async () => {
  const memory = memoryTransport();
  const without = (change: Partial<Transport["capabilities"]>): Transport => ({
    name: "poor",
    host: {},
    capabilities: { ...memory.capabilities, ...change },
    connect: (...args) => memory.connect(...args),
    listen: (options) =>
      Promise.reject(
        connectionError("listen", { hostname: "", port: 0, path: options!.path! }, new Error("no")),
      ),
  });
  const error = assertThrows(() => tableOn(without({ unix: false }))) as { code?: string };
  assertEquals(error.code, "UNSUPPORTED");
  const table = tableOn(without({}));
  const late = await rejection(table.create()) as JackfieldError;
  assertEquals([late.code, late.feature, table.size], ["UNSUPPORTED", "exclusive", 0]);
  assertThrows(() => tableOn(memory, { maxSocketsPerAddress: 2 }), TypeError, "expected 1");
});

/** A child process that leases addresses, and what it has got. */
class Holder {
  readonly child: ChildProcess;
  readonly got: string[] = [];
  failure = "";
  #rest = "";

  constructor(...words: string[]) {
    const options = runtime === "deno" ? ["run", "--allow-all", "--quiet"] : [];
    this.child = spawn(process.execPath, [...options, CHILD, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith("got ")) this.got.push(line.slice(4));
        else this.failure += line;
      }
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => this.failure += text);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once("close", resolve));
    this.child.kill("SIGKILL");
    await gone;
  }
}

test(
  "AddressTable with exclusive: eight processes never have one address at once, also while some are killed",
  { skip },
  async () => {
    const holders = Array.from({ length: 8 }, () => new Holder("churn", "127.0.5.1-127.0.5.5"));
    const failures = () => holders.map(({ failure }) => failure).join("");
    try {
      const all = () => holders.every(({ got }) => got.length >= 2);
      await eventually(all, () => `all have had an address: ${failures()}`, 30_000);
      for (const holder of holders.splice(0, 3)) {
        await holder.kill();
        const counts = holders.map(({ got }) => got.length);
        const go = () => holders.every(({ got }, at) => got.length >= counts[at]! + 2);
        await eventually(go, () => `the others go on: ${failures()}`, 20_000);
      }
      assertEquals(failures(), "");
    } finally {
      await Promise.all(holders.map((holder) => holder.kill()));
    }
  },
);

test(
  "AddressTable with exclusive: what a killed process had is free at once, and nothing else",
  { skip },
  async () => {
    const addresses = "127.0.6.1-127.0.6.16";
    const holders = Array.from({ length: 8 }, () => new Holder("hold", addresses, "2"));
    const source = hostAddresses([addresses]);
    const table = new AddressTable({ transport: systemTransport(), source, exclusive: true });
    try {
      const all = () => holders.every(({ got }) => got.length === 2);
      const failures = () => holders.map(({ failure }) => failure).join("");
      await eventually(all, () => `all have two addresses: ${failures()}`, 30_000);
      assertEquals(new Set(holders.flatMap(({ got }) => got)).size, 16);
      for (const holder of holders) {
        assertEquals((await rejection(table.create())).code, "ADDRESS_EXHAUSTED");
        await holder.kill();
        assertEquals((await hostsOf(table, 2)).sort(), holder.got.sort());
      }
      assert(holders.every(({ failure }) => failure === ""));
    } finally {
      await Promise.all(holders.map((holder) => holder.kill()));
      await table.closeAll();
    }
  },
);
