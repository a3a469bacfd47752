// Against our own server.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { AddressTable, hostAddresses, parallelGet, type TransferProgress } from "../../mod.ts";
import { test } from "../harness.ts";
import {
  countDescriptors,
  descriptorsBack,
  eventually,
  rejection,
  sha256,
} from "../transport/tools.ts";
import { serving } from "../download/tools.ts";

const UNIT = 64 * 1024;

test("parallelGet() fetches a file in units over several sockets and puts them in order (P5)", () =>
  serving(async ({ folder, server }) => {
    const bytes = folder.fill("a.bin", 100 * UNIT + 17);
    const to = folder.at("copy.bin");
    const url = `${server.url}a.bin`;
    const result = await parallelGet(url, { sockets: 4, unitBytes: UNIT, to });
    assertEquals(sha256(readFileSync(to)), sha256(bytes));
    assertEquals([result.digest, result.bytes, result.totalBytes], [
      sha256(bytes),
      bytes.byteLength,
      bytes.byteLength,
    ]);
    assertEquals([result.path, result.data], [to, undefined]);
    assertEquals(result.sockets.length, 4);
    assert(result.sockets.every(({ units }) => units > 0));
    assertEquals(result.sockets.reduce((sum, { units }) => sum + units, 0), 101);
    assertEquals(result.sockets.reduce((sum, socket) => sum + socket.bytes, 0), bytes.byteLength);
    assertEquals(readdirSync(folder.path).sort(), ["a.bin", "copy.bin"]);
    await eventually(() => server.stats().connections === 0, () => "all sockets are closed");
    assertEquals(server.stats().finished, 101);
  }));

test("parallelGet() returns the bytes when no file is named", () =>
  serving(async ({ folder, server }) => {
    const bytes = folder.fill("a.bin", 3 * UNIT);
    const { data, path } = await parallelGet(`${server.url}a.bin`, { unitBytes: UNIT });
    assertEquals(data, bytes);
    assertEquals(path, undefined);
  }));

test("parallelGet() fetches files of every size around its units", () =>
  serving(async ({ folder, server }) => {
    for (const size of [0, 1, 1023, 1024, 1025, 2047, 2048, 2049, 10_000]) {
      const bytes = folder.fill("a.bin", size);
      const to = folder.at("copy.bin");
      const result = await parallelGet(`${server.url}a.bin`, { sockets: 3, unitBytes: 1024, to });
      assertEquals([result.bytes, result.totalBytes, result.digest], [size, size, sha256(bytes)]);
      assertEquals(readFileSync(to).byteLength, size);
      const { data } = await parallelGet(`${server.url}a.bin`, { sockets: 64, unitBytes: 1024 });
      assertEquals(data, bytes, `${size} bytes`);
    }
  }));

test("parallelGet() opens no more sockets than there are units", () =>
  serving(async ({ folder, server }) => {
    folder.fill("a.bin", 2 * UNIT);
    const { sockets } = await parallelGet(`${server.url}a.bin`, { sockets: 8, unitBytes: UNIT });
    assert(sockets.length <= 2, `${sockets.length} sockets`);
  }));

test("parallelGet() connects from the addresses of a table, and gives them back", () =>
  serving(async ({ folder, server }) => {
    const bytes = folder.fill("a.bin", 40 * UNIT);
    const addresses = new AddressTable({ source: hostAddresses(["127.0.0.2", "127.0.0.3"]) });
    const { data, sockets } = await parallelGet(`${server.url}a.bin`, {
      sockets: 4,
      unitBytes: UNIT,
      addresses,
    });
    assertEquals(data, bytes);
    assertEquals(sockets.map(({ localAddress }) => localAddress).sort(), [
      "127.0.0.2",
      "127.0.0.2",
      "127.0.0.3",
      "127.0.0.3",
    ]);
    await addresses.closeAll();
  }));

test("parallelGet() tells its progress, which never goes back, and at last all of it", () =>
  serving(async ({ folder, server }) => {
    folder.fill("a.bin", 200 * UNIT);
    const seen: TransferProgress[] = [];
    const result = await parallelGet(`${server.url}a.bin`, {
      unitBytes: UNIT,
      onProgress: (progress) => seen.push(progress),
    });
    for (const [at, { bytes, totalBytes }] of seen.entries()) {
      assert(at === 0 || bytes >= seen[at - 1]!.bytes);
      assertEquals(totalBytes, 200 * UNIT);
    }
    const last = seen.at(-1)!;
    assertEquals(last.bytes, 200 * UNIT);
    assertEquals(last.sockets, result.sockets);
  }));

test("parallelGet() replaces an old file only when the new one is complete", () =>
  serving(async ({ folder, server }) => {
    folder.fill("a.bin", 2 * UNIT);
    const to = folder.at("copy.bin");
    folder.write("copy.bin", "old");
    const missing = await rejection(parallelGet(`${server.url}none`, { to }));
    assertEquals([missing.code, (missing as { status?: number }).status], ["HTTP_STATUS", 404]);
    assertEquals(readFileSync(to, "utf8"), "old");
    assertEquals(existsSync(`${to}.part`), false);
    await parallelGet(`${server.url}a.bin`, { to });
    assertEquals(readFileSync(to).byteLength, 2 * UNIT);
  }));

test("parallelGet() says so at once when it cannot write its file", () =>
  serving(async ({ folder, server }) => {
    folder.fill("a.bin", UNIT);
    mkdirSync(folder.at("folder/inside"), { recursive: true });
    const url = `${server.url}a.bin`;
    const before = countDescriptors();
    for (const name of ["none/copy.bin", "a.bin/copy.bin", "folder"]) {
      const failure = await rejection(parallelGet(url, { to: folder.at(name) }));
      assertEquals(failure.code, "FILE_FAILED", name);
      assert(failure.message.includes(folder.at(name)), failure.message);
    }
    assertEquals(server.stats().finished, 0);
    assertEquals(readdirSync(folder.path).sort(), ["a.bin", "folder"]);
    await descriptorsBack(before);
  }));

test("parallelGet() rejects with what onProgress throws, and leaves nothing behind", () =>
  serving(async ({ folder, server }) => {
    folder.fill("a.bin", 20 * UNIT);
    const oops = new Error("oops");
    const to = folder.at("copy.bin");
    const failure = await rejection(parallelGet(`${server.url}a.bin`, {
      to,
      onProgress: ({ bytes }) => {
        if (bytes === 20 * UNIT) throw oops;
      },
    }));
    assertEquals(failure, oops);
    assertEquals(readdirSync(folder.path), ["a.bin"]);
  }));

test("parallelGet() refuses a bad URL or option and names the value", async () => {
  const url = "http://127.0.0.1:9/x";
  const cases: [string, object, typeof Error, string][] = [
    ["nonsense", {}, TypeError, '"nonsense"'],
    ["ftp://127.0.0.1/x", {}, TypeError, '"ftp:"'],
    ["http://me@127.0.0.1:9/x", {}, TypeError, "user names"],
    ["http://:secret@127.0.0.1:9/x", {}, TypeError, "user names"],
    [url, { sockets: 0 }, RangeError, '"0"'],
    [url, { sockets: 65 }, RangeError, '"65"'],
    [url, { sockets: 1.5 }, RangeError, '"1.5"'],
    [url, { unitBytes: 1023 }, RangeError, '"1023"'],
    [url, { retries: -1 }, RangeError, '"-1"'],
    [url, { stallTimeoutMs: 0 }, RangeError, '"0"'],
    [url, { to: "" }, TypeError, '""'],
  ];
  for (const [target, options, type, text] of cases) {
    await assertRejects(() => parallelGet(target, options), type, text);
  }
});

test("parallelGet() rejects with CONNECT_FAILED when nobody listens", () =>
  serving(async ({ folder, server }) => {
    const url = `${server.url}a.bin`;
    await server.close();
    const to = folder.at("copy.bin");
    assertEquals((await rejection(parallelGet(url, { to }))).code, "CONNECT_FAILED");
    assertEquals(readdirSync(folder.path), []);
  }));
