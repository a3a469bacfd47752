// Connections that break, stall or cannot be had, and servers that vanish.
import { assert, assertEquals } from "@std/assert";
import { existsSync, readdirSync } from "node:fs";
import { parallelGet, type ParallelGetOptions, type TransferProgress } from "../../mod.ts";
import { memoryTransport } from "../../src/adapters/memory/mod.ts";
import { systemTransport } from "../../mod.ts";
import { test } from "../harness.ts";
import { Folder } from "../download/tools.ts";
import {
  bytesOf,
  concat,
  countDescriptors,
  descriptorsBack,
  eventually,
} from "../transport/tools.ts";
import { pattern, rejection } from "../transport/tools.ts";
import { type Asked, headOf, partialHead, sendPart, sendText, withServer } from "./tools.ts";

const BYTES = pattern(20_000);
const OPTIONS: ParallelGetOptions = {
  sockets: 3,
  unitBytes: 1024,
  stallTimeoutMs: 10_000,
  backoffMs: 1,
};

/** Announce a unit, and send only so many bytes of it. */
async function sendShort(asked: Asked, length: number): Promise<void> {
  const head = bytesOf(partialHead(asked, BYTES.byteLength));
  await asked.socket.write(concat([head, BYTES.subarray(asked.start, asked.start + length)]));
}

test("parallelGet() fetches a unit again on another socket when its connection breaks", async () => {
  // In the middle of a body, before a head, within a head, by a reset; the first unit, too.
  const breaking = async (asked: Asked) => {
    if (asked.count % 5 === 0) await sendShort(asked, 500);
    else if (asked.count % 5 === 2) await sendText(asked.socket, "");
    else return await sendPart(asked, BYTES);
    if (asked.count % 2 === 0) await asked.socket.close();
    else asked.socket.abort();
  };
  await withServer(breaking, async ({ url, asked }) => {
    const seen: TransferProgress[] = [];
    const onProgress = (now: TransferProgress) => seen.push(now);
    const options = { ...OPTIONS, retries: 10, onProgress };
    const { data, sockets, bytes } = await parallelGet(url, options);
    assertEquals(data, BYTES);
    assertEquals(bytes, 20_000);
    assertEquals(sockets.reduce((sum, socket) => sum + socket.bytes, 0), 20_000);
    assertEquals(sockets.reduce((sum, socket) => sum + socket.units, 0), 20);
    const units = asked.map(({ end }) => Math.ceil(end / 1024));
    assert(new Set(units).size === 20 && units.length > 20, "units were asked for again");
    for (const unit of new Set(units)) {
      const on = asked.filter(({ end }) => Math.ceil(end / 1024) === unit);
      const connections = new Set(on.map(({ connection }) => connection));
      assertEquals(connections.size, on.length, "never again on the same socket");
    }
    // What had come before a connection broke is not asked for again.
    assert(asked.some(({ start }) => start % 1024 === 500), "the rest of a unit");
    for (let at = 1; at < seen.length; at++) assert(seen[at]!.bytes >= seen[at - 1]!.bytes);
    assertEquals(seen.at(-1)!.bytes, 20_000);
  });
});

test("parallelGet() gives up on a unit after its retries", async () => {
  const stubborn = async (asked: Asked) => {
    if (asked.end !== 5120) return await sendPart(asked, BYTES);
    await sendShort(asked, 10);
    await asked.socket.close();
  };
  await withServer(stubborn, async ({ url, asked }) => {
    const failure = await rejection(parallelGet(url, { ...OPTIONS, retries: 2 }));
    assertEquals(failure.code, "TRANSFER_FAILED");
    assertEquals(asked.filter(({ end }) => end === 5120).map(({ start }) => start), [
      4096,
      4106,
      4116,
    ]);
  });
  await withServer(stubborn, async ({ url, asked }) => {
    await rejection(parallelGet(url, { ...OPTIONS, retries: 0 }));
    assertEquals(asked.filter(({ end }) => end === 5120).length, 1);
  });
});

test("parallelGet() rejects with TRANSFER_FAILED when the server vanishes, and leaves nothing", async () => {
  const folder = new Folder();
  const before = countDescriptors();
  try {
    for (const last of [1, 5, 12]) {
      await withServer(async (asked, server) => {
        if (asked.count < last) return await sendPart(asked, BYTES);
        await sendShort(asked, 100);
        server.vanish();
      }, async ({ url }) => {
        const to = folder.at("copy.bin");
        const failure = await rejection(parallelGet(url, { ...OPTIONS, to }));
        assertEquals(failure.code, "TRANSFER_FAILED", failure.message);
        assertEquals(readdirSync(folder.path), []);
      });
    }
    await descriptorsBack(before);
  } finally {
    folder.remove();
  }
});

test("parallelGet() goes on with the sockets it has when a server allows no more", async () => {
  const transport = memoryTransport({
    host: systemTransport().host,
    faults: (operation) => operation === "connect" && connects++ > 1 ? { kind: "fail" } : undefined,
  });
  let connects = 0;
  const listener = await transport.listen({ port: 80 });
  const served = (async () => {
    for await (const socket of listener) void answerAll(socket).catch(() => socket.abort());
  })();
  const { data, sockets } = await parallelGet("http://127.0.0.1/x", {
    ...OPTIONS,
    sockets: 8,
    transport,
  });
  assertEquals([data, sockets.length], [BYTES, 2]);
  assert(connects > 2);
  await listener.close();
  await served;
  await eventually(() => transport.openEnds === 0, () => `${transport.openEnds} ends are open`);

  async function answerAll(socket: Asked["socket"]): Promise<void> {
    const buffer = new Uint8Array(2000);
    for (let count = await socket.read(buffer); count !== null; count = await socket.read(buffer)) {
      const text = new TextDecoder().decode(buffer.subarray(0, count));
      const [, start, last] = /bytes=(\d+)-(\d+)/.exec(text)!;
      const unit = { start: Number(start), end: Number(last) + 1 };
      const head = bytesOf(partialHead(unit, BYTES.byteLength));
      await socket.write(concat([head, BYTES.subarray(unit.start, unit.end)]));
    }
    await socket.close();
  }
});

test("parallelGet() fails at once although another connect is still on the way", async () => {
  let connects = 0;
  const transport = memoryTransport({
    host: systemTransport().host,
    faults: (operation) =>
      operation === "connect" && connects++ > 0 ? { kind: "delay", delayMs: 50_000 } : undefined,
  });
  const listener = await transport.listen({ port: 80 });
  const got = rejection(parallelGet("http://127.0.0.1/x", { ...OPTIONS, transport }));
  const socket = await listener.accept();
  const buffer = new Uint8Array(2000);
  await socket.read(buffer);
  await socket.write(bytesOf(partialHead({ start: 0, end: 1024 }, 20_000)));
  await socket.write(BYTES.subarray(0, 1024));
  await socket.read(buffer);
  const start = performance.now();
  await sendText(socket, headOf(404, { "Content-Length": 0 }));
  assertEquals((await got).code, "HTTP_STATUS");
  assert(performance.now() - start < 5000, "it waited for the connect");
  await socket.close();
  await listener.close();
});

test("parallelGet() gives a socket up that stalls, and fetches its unit elsewhere", async () => {
  const folder = new Folder();
  try {
    const stalling = async (asked: Asked) => {
      if (asked.count === 0 || asked.count === 4) return; // says nothing at all
      if (asked.count === 2) return await sendShort(asked, 100);
      await sendPart(asked, BYTES);
    };
    await withServer(stalling, async ({ url, asked }) => {
      const { data } = await parallelGet(url, { ...OPTIONS, stallTimeoutMs: 200 });
      assertEquals(data, BYTES);
      assertEquals(asked.length, 23);
    });
    const to = folder.at("copy.bin");
    await withServer(() => {}, async ({ url }) => {
      const options = { ...OPTIONS, stallTimeoutMs: 50, retries: 1, to };
      assertEquals((await rejection(parallelGet(url, options))).code, "TRANSFER_FAILED");
    });
    assertEquals(existsSync(`${to}.part`), false);
  } finally {
    folder.remove();
  }
});
