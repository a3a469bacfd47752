// Giving up at every moment: the reason comes back, and nothing is left behind.
import { assertEquals } from "@std/assert";
import { readdirSync } from "node:fs";
import { parallelGet, type ParallelGetOptions, systemTransport } from "../../mod.ts";
import { memoryTransport } from "../../src/adapters/memory/mod.ts";
import { test } from "../harness.ts";
import { Folder, serving } from "../download/tools.ts";
import { countDescriptors, descriptorsBack, pattern, rejection } from "../transport/tools.ts";
import { type Asked, headOf, sendPart, sendText, withServer } from "./tools.ts";

const BYTES = pattern(20_000);
const OPTIONS: ParallelGetOptions = { sockets: 3, unitBytes: 1024, backoffMs: 1 };

/** Fetch from a server that calls `stop` somewhere in its answer. */
async function stoppedBy(
  answer: (asked: Asked, stop: () => void) => Promise<unknown> | unknown,
): Promise<void> {
  const folder = new Folder();
  const before = countDescriptors();
  try {
    const reason = new Error("enough");
    const controller = new AbortController();
    await withServer((asked) => answer(asked, () => controller.abort(reason)), async ({ url }) => {
      const options = { ...OPTIONS, to: folder.at("copy.bin"), signal: controller.signal };
      assertEquals(await rejection(parallelGet(url, options)), reason);
      assertEquals(readdirSync(folder.path), []);
    });
    await descriptorsBack(before);
  } finally {
    folder.remove();
  }
}

test("parallelGet() gives up before the first answer", () => stoppedBy((_asked, stop) => stop()));

test("parallelGet() gives up between units", () =>
  stoppedBy((asked, stop) => {
    if (asked.count === 6) stop();
    return sendPart(asked, BYTES);
  }));

test("parallelGet() gives up within a unit", () =>
  stoppedBy(async (asked, stop) => {
    if (asked.count < 4) return await sendPart(asked, BYTES);
    await sendPart(asked, BYTES.subarray(0, asked.start + 100), {
      "Content-Length": 1024,
      "Content-Range": `bytes ${asked.start}-${asked.end - 1}/20000`,
    });
    stop();
  }));

test("parallelGet() gives up within a file without ranges", () =>
  stoppedBy(async ({ socket }, stop) => {
    await sendText(socket, `${headOf(200, { "Content-Length": 20_000 })}and no more`);
    stop();
  }));

test("parallelGet() gives up while it connects", async () => {
  const transport = memoryTransport({ host: systemTransport().host });
  const controller = new AbortController();
  const got = rejection(parallelGet("http://silent.example/x", {
    ...OPTIONS,
    transport,
    signal: controller.signal,
  }));
  const reason = new Error("enough");
  setTimeout(() => controller.abort(reason), 20);
  assertEquals(await got, reason);
  assertEquals(transport.openEnds, 0);
});

test("parallelGet() does nothing with a signal that is aborted already", () =>
  serving(async ({ folder, server }) => {
    folder.fill("a.bin", 5000);
    const reason = new Error("enough");
    const options = { to: folder.at("copy.bin"), signal: AbortSignal.abort(reason) };
    assertEquals(await rejection(parallelGet(`${server.url}a.bin`, options)), reason);
    assertEquals(readdirSync(folder.path), ["a.bin"]);
    assertEquals(server.stats().connections, 0);
  }));

test("parallelGet() gives up while it reads the file back", () =>
  serving(async ({ folder, server }) => {
    folder.fill("a.bin", 3 * 2 ** 20);
    const transport = systemTransport();
    const reason = new Error("enough");
    const controller = new AbortController();
    const { hash: real } = transport.host;
    let digests = 0; // The first one makes a name of the path.
    const hash = {
      sha256: () =>
        digests++ === 0
          ? real!.sha256()
          : { update: () => controller.abort(reason), hex: () => "never" },
    };
    const proxy = new Proxy(transport, {
      get: (target, name) => name === "host" ? { ...target.host, hash } : Reflect.get(target, name),
    });
    const options = { to: folder.at("copy.bin"), signal: controller.signal, transport: proxy };
    assertEquals(await rejection(parallelGet(`${server.url}a.bin`, options)), reason);
    assertEquals(readdirSync(folder.path), ["a.bin"]);
  }));
