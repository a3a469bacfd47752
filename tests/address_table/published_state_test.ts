import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync } from "node:fs";
import { AddressTable, hostAddresses, readPublishedState } from "../../src/core.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { eventually, rejection } from "../transport/tools.ts";

const transport = systemTransport();
const source = () => hostAddresses(["127.0.6.1", "127.0.6.2"]);
const skip = hasNames() ? false : "needs Linux's abstract Unix sockets";

function hasNames(): boolean {
  try {
    return readFileSync("/proc/net/unix", "utf8") !== "";
  } catch {
    return false;
  }
}

/** The name of the only published table with this label. */
function nameOf(label: string): string | undefined {
  const names = readFileSync("/proc/net/unix", "utf8").matchAll(/ @(jackfield\/table\/\S+)$/gm);
  return [...names].map(([, name]) => name!).find((name) => name.split("/")[2] === label);
}

test("AddressTable.publish() shows the state to who asks, as it is then, until the end", {
  skip,
}, async () => {
  const table = new AddressTable({ transport, source: source() });
  await table.publish("state-test");
  const name = nameOf("state-test")!;
  assertEquals((await readPublishedState(transport, name)).rests, []);
  table.ban("127.0.6.1");
  const descriptor = await table.create();
  const states = await Promise.all(
    Array.from({ length: 5 }, () => readPublishedState(transport, name)),
  );
  for (const { rests, addresses } of states) {
    assertEquals([rests.length, rests[0]!.localAddress], [1, "127.0.6.1"]);
    assertEquals(addresses.map(({ descriptors }) => descriptors), [[descriptor]]);
  }
  await table.closeAll();
  await eventually(() => nameOf("state-test") === undefined, () => "its name is still there");
});

test("AddressTable.publish() refuses a label that is none", async () => {
  const table = new AddressTable({ transport: memoryTransport(), source: source() });
  for (const label of ["", "two words", "a/b", "x".repeat(41)]) {
    const error = await rejection(table.publish(label));
    assert(error instanceof TypeError);
    assertStringIncludes(error.message, `"${label}"`);
  }
  await table.closeAll();
});

test("readPublishedState() says what is no state, and gives up on who says nothing", {
  skip,
}, async () => {
  const path = "jackfield/table/nonsense/1";
  const listener = await transport.listen({ path: `\0${path}` });
  const answers = ["{}", "not JSON", undefined];
  const serving = (async () => {
    for await (const socket of listener) {
      const answer = answers.shift();
      if (answer !== undefined) await socket.write(new TextEncoder().encode(answer));
      else await socket.read(new Uint8Array(1)).catch(() => {}); // Says nothing.
      await socket.close();
    }
  })();
  for (let at = 0; at < 2; at++) {
    const error = await rejection(readPublishedState(transport, path));
    assertEquals(error.code, "SOCKET_FAILED");
    assertStringIncludes(error.message, path);
  }
  assertEquals((await rejection(readPublishedState(transport, path))).code, "SOCKET_ABORTED");
  await listener.close();
  await serving;
});
