import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  DownloadManager,
  type DownloadRequestInit,
  isJackfieldError,
  type Listener,
  type Socket,
  systemTransport,
} from "../../mod.ts";
import { HeadReader, parseRequestHead } from "../../src/http/mod.ts";
import { test } from "../harness.ts";
import { eventually, rejection, sha256, textOf } from "../transport/tools.ts";
import { Client, Folder, headOf, placed } from "./tools.ts";

interface Handed {
  readonly folder: Folder;
  readonly listener: Listener;
  readonly manager: DownloadManager;
  readonly reported: unknown[];
  /** A client, the socket that the front accepted, and the request it read from it. */
  ask(line: string, after?: string): Promise<{
    readonly client: Client;
    readonly front: Socket;
    readonly request: DownloadRequestInit;
  }>;
}

/** A front of our own: it accepts, reads the head, and does nothing more. */
async function withFront(
  run: (handed: Handed) => Promise<void>,
  options: { maxActive?: number; maxQueued?: number } = {},
): Promise<void> {
  const folder = new Folder();
  const transferable = placed.placement !== undefined;
  const listener = await systemTransport().listen({ port: 0, transferable });
  const reported: unknown[] = [];
  const manager = new DownloadManager({
    ...placed,
    root: folder.path,
    onError: (error) => reported.push(error),
    ...options,
  });
  const clients: Client[] = [];
  try {
    await run({
      folder,
      listener,
      manager,
      reported,
      async ask(line, after = "") {
        const client = await Client.connect(listener.address);
        clients.push(client);
        const front = await listener.accept();
        await client.sendText(headOf(line) + after);
        const reader = new HeadReader(front, "HTTP_BAD_REQUEST");
        const request = parseRequestHead((await reader.next())!);
        return { client, front, request: { ...request, unread: reader.unread } };
      },
    });
  } finally {
    for (const client of clients) client.socket.abort();
    manager.abort();
    await manager.close();
    await listener.close();
    folder.remove();
  }
}

test("DownloadManager.take() sends on the connection that was accepted (D1, D2)", () =>
  withFront(async ({ folder, manager, ask }) => {
    const bytes = folder.fill("a.bin", 300_000);
    const { client, front, request } = await ask("GET /a.bin", headOf("HEAD /a.bin"));
    const taken = manager.take(front, request);
    assertEquals(front.state, "gone"); // at once, not when the download is over
    for (const use of [() => front.read(new Uint8Array(1)), () => front.write(new Uint8Array(1))]) {
      assertEquals((await rejection(use())).code, "SOCKET_GONE");
    }
    front.abort(); // has no effect on the connection
    await front.close();
    assertEquals((await client.answer()).body, bytes);
    const { status, bytes: sent, socket } = await taken;
    assertEquals([status, sent, socket?.state], [200, 300_000, "open"]);
    assert(socket !== undefined && socket !== front);
    assertEquals(socket.remoteAddress, front.remoteAddress);
    assertEquals(socket.remoteAddress, client.socket.localAddress);
    assertEquals(socket.localAddress, client.socket.remoteAddress);
    // The second request was read together with the first; it travels with the socket.
    const next = parseRequestHead((await new HeadReader(socket, "HTTP_BAD_REQUEST").next())!);
    assertEquals([next.method, next.target], ["HEAD", "/a.bin"]);
    const second = await manager.take(socket, next);
    assertEquals((await client.answer({ head: true })).status, 200);
    assertEquals(manager.stats(), {
      active: 0,
      queued: 0,
      finished: 2,
      refused: 0,
      bytes: 300_000,
      engine: manager.stats().engine,
    });
    await second.socket!.close();
  }));

test("DownloadManager.take() closes the connection when the request asks for it", () =>
  withFront(async ({ folder, manager, ask }) => {
    folder.fill("a.bin", 10);
    const { client, front, request } = await ask("GET /a.bin");
    const result = await manager.take(front, { ...request, keepAlive: false });
    assertEquals(result, { status: 200, bytes: 10, socket: undefined });
    assertEquals((await client.answer()).fields.get("connection"), "close");
    assertEquals((await client.rest()).byteLength, 0);
  }));

test("DownloadManager.take() refuses a socket in use and leaves it alone", () =>
  withFront(async ({ folder, manager, ask }) => {
    folder.fill("a.bin", 10);
    const { client, front, request } = await ask("GET /a.bin");
    const reading = front.read(new Uint8Array(1));
    assertEquals((await rejection(manager.take(front, request))).code, "SOCKET_BUSY");
    const { active, queued, finished, refused, bytes } = manager.stats();
    assertEquals([active, queued, finished, refused, bytes], [0, 0, 0, 0, 0]);
    await client.sendText("x");
    assertEquals(await reading, 1);
    await manager.close();
    assertEquals((await rejection(manager.take(front, request))).code, "DOWNLOAD_CLOSED");
    assertEquals(front.state, "open");
    await front.close();
  }));

test("DownloadManager.take() answers 503 when its queue is full, and reports it (D5)", () =>
  withFront(async ({ folder, manager, reported, ask }) => {
    const bytes = folder.fill("big", 24 * 2 ** 20); // more than the kernel buffers
    const first = await ask("GET /big");
    const running = manager.take(first.front, first.request);
    folder.write("small", "here");
    const second = await ask("GET /small");
    const waiting = manager.take(second.front, second.request);
    await eventually(() => manager.stats().active === 1, () => "the first is being sent");
    assertEquals(manager.stats().queued, 1);
    const third = await ask("GET /big");
    assertEquals((await manager.take(third.front, third.request)).status, 503);
    const { status, fields } = await third.client.answer();
    assertEquals(status, 503);
    assertMatch(fields.get("retry-after")!, /^\d+$/);
    assertEquals(fields.get("connection"), "close");
    assertEquals(reported.map((error) => isJackfieldError(error) && error.code), [
      "DOWNLOAD_QUEUE_FULL",
    ]);
    assertEquals(manager.stats().queued, 1);
    assertEquals(sha256((await first.client.answer()).body), sha256(bytes));
    assertEquals(textOf((await second.client.answer()).body), "here");
    await (await running).socket!.close();
    await (await waiting).socket!.close();
    assertEquals(manager.stats().finished, 2);
  }, { maxActive: 1, maxQueued: 1 }));

test("DownloadManager.close() waits for what it took; abort() does not", () =>
  withFront(async ({ folder, manager, ask }) => {
    const bytes = folder.fill("big", 24 * 2 ** 20);
    const { client, front, request } = await ask("GET /big");
    const taken = manager.take(front, request);
    await client.answerHead();
    let closed = false;
    const closing = manager.close();
    assertEquals(manager.close(), closing);
    void closing.then(() => closed = true);
    await client.take(1000);
    assertEquals(closed, false);
    assertEquals(sha256(await client.take(bytes.byteLength - 1000)), sha256(bytes.slice(1000)));
    await (await taken).socket?.close();
    await closing;
  }));

test("DownloadManager.abort() ends what it sends and what waits, with the reason", () =>
  withFront(async ({ folder, manager, reported, ask }) => {
    folder.fill("big", 24 * 2 ** 20);
    const first = await ask("GET /big");
    const second = await ask("GET /big");
    const taken = [first, second].map(({ front, request }) => manager.take(front, request));
    const failures = taken.map(rejection);
    await first.client.take(1);
    const reason = new Error("enough");
    manager.abort(reason);
    assertEquals(await Promise.all(failures), [reason, reason]);
    await manager.close();
    assertEquals(reported, [reason, reason]);
    assertEquals([manager.stats().active, manager.stats().queued], [0, 0]);
    assert(await first.client.countUntilEnd() < 24 * 2 ** 20);
    assertEquals(await second.client.countUntilEnd(), 0);
  }, { maxActive: 1 }));

test("DownloadManager() checks its options and shows the value", async () => {
  const make = (options: object) => () => new DownloadManager({ root: ".", ...options });
  assertThrows(make({ maxActive: 0 }), RangeError, 'maxActive "0"');
  assertThrows(make({ maxActive: NaN }), RangeError, 'maxActive "NaN"');
  assertThrows(make({ maxQueued: -1 }), RangeError, 'maxQueued "-1"');
  assertThrows(make({ placement: "moon" }), TypeError, 'placement "moon"');
  assertThrows(make({ root: "" }), TypeError, 'root ""');
  const nowhere = new DownloadManager({ root: "nowhere/at-all" });
  await assertRejects(() => nowhere.check(), Error, "nowhere/at-all");
});
