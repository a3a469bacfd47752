// One GiB both ways with equal digests, over the runtime's own sockets and over node:net.
import { createHash } from "node:crypto";
import process from "node:process";
import { assertEquals, assertLess } from "@std/assert";
import { nodeTransport } from "../../src/adapters/node/mod.ts";
import { systemTransport } from "../../src/system_transport.ts";
import type { Socket } from "../../src/core.ts";
import { test } from "../harness.ts";
import { connectedPair, pattern } from "../transport/tools.ts";

const BLOCK = pattern(2 ** 20);
const BLOCKS = 1024;

async function send(socket: Socket): Promise<void> {
  for (let times = 0; times < BLOCKS; times++) await socket.write(BLOCK);
  await socket.closeWrite();
}

async function digest(socket: Socket): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(256 * 1024);
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return hash.digest("hex");
    hash.update(buffer.subarray(0, count));
  }
}

const expected = (() => {
  const hash = createHash("sha256");
  for (let times = 0; times < BLOCKS; times++) hash.update(BLOCK);
  return hash.digest("hex");
})();

for (const transport of new Set([systemTransport(), nodeTransport()])) {
  test(`${transport.name} transport: carries 1 GiB both ways in bounded memory`, {
    timeoutMs: 240_000,
  }, async () => {
    const { near, far, end } = await connectedPair(transport);
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => peak = Math.max(peak, process.memoryUsage().rss), 50);
    const [atFar, atNear] = await Promise.all([digest(far), digest(near), send(near), send(far)]);
    clearInterval(watch);
    assertEquals(atFar, expected);
    assertEquals(atNear, expected);
    // What was in flight, garbage, and what the allocator keeps: Node and Bun grow by some 60 MiB,
    // node:net in Deno by 140 to 300, all of it outside of JavaScript's heap. Not the two gigabytes.
    assertLess(peak - before, 512 * 2 ** 20, "memory grew with the transfer");
    await end();
  });
}
