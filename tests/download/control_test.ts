// Downloads that are looked at, paused, resumed, cancelled, and stalled by their clients.
import { assert, assertEquals } from "@std/assert";
import type { Download } from "../../mod.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { eventually, sleep } from "../transport/tools.ts";
import { expectStats, serving } from "./tools.ts";

const BIG = 24 * 2 ** 20; // more than the kernel buffers

test("DownloadServer.downloads() shows what is queued and sent", () =>
  serving(async ({ folder, server, connect }) => {
    folder.fill("big", BIG);
    const first = await connect();
    await first.send("GET /big", { Range: "bytes=1-" });
    await first.answerHead();
    const second = await connect();
    await second.send("GET /big");
    await expectStats(server, { active: 1, queued: 1 });
    await eventually(() => server.downloads()[0]!.bytes > 0, () => "it is being sent");
    const [sending, queued] = server.downloads() as [Download, Download];
    assertEquals([sending.state, sending.status, sending.totalBytes], ["sending", 206, BIG - 1]);
    assert(sending.bytes > 0 && sending.bytes < BIG);
    assertEquals(sending.request.target, "/big");
    assertEquals(sending.client, "127.0.0.1");
    assertEquals([queued.state, queued.status, queued.bytes], ["queued", undefined, 0]);
    assertEquals(queued.totalBytes, undefined);
    await first.take(BIG - 1);
    await second.answer();
    await expectStats(server, { active: 0, finished: 2 });
    assertEquals([sending.state, sending.bytes], ["ended", BIG - 1]);
    assertEquals(server.downloads(), []);
  }, { maxActive: 1 }));

test("Download.pause() holds one download back and no other, until resume()", () =>
  serving(async ({ folder, server, connect }) => {
    const bytes = folder.fill("big", BIG);
    folder.write("a", "here");
    const client = await connect();
    await client.send("GET /big");
    await client.answerHead();
    const [download] = server.downloads() as [Download];
    download.pause();
    download.pause();
    assertEquals(download.paused, true);
    let received = 0;
    const reading = (async () => {
      while (received < BIG) {
        received += (await client.take(Math.min(65_536, BIG - received))).length;
      }
    })();
    let before = -1;
    while (received !== before) {
      before = received;
      await sleep(100);
    }
    assert(received < BIG, "it went on");
    assertEquals((await (await connect()).request("GET /a")).status, 200);
    download.resume();
    await reading;
    assertEquals(received, bytes.byteLength);
    await expectStats(server, { active: 0, finished: 2 });
    download.pause(); // It is over: nothing happens.
    download.cancel();
    assertEquals(server.stats().finished, 2);
  }));

test("Download.pause() in the queue gives up the turn, not the download", () =>
  serving(async ({ folder, server, connect }) => {
    folder.fill("big", BIG);
    folder.write("a", "here");
    const first = await connect();
    await first.send("GET /big");
    await first.answerHead();
    const paused = await connect();
    await paused.send("GET /a");
    await expectStats(server, { queued: 1 });
    const download = server.downloads()[1]!;
    download.pause();
    const third = await connect();
    await third.send("GET /a");
    await expectStats(server, { queued: 2 });
    await sleep(200); // To a manager elsewhere all of that is still on its way.
    await first.take(BIG);
    assertEquals((await third.answer()).status, 200);
    await expectStats(server, { active: 0, queued: 1, finished: 2 });
    download.resume();
    assertEquals((await paused.answer()).status, 200);
    await expectStats(server, { active: 0, queued: 0, finished: 3 });
  }, { maxActive: 1 }));

test("Download.cancel() ends one download and its connection, with the reason", () => {
  const ended: unknown[] = [];
  return serving(async ({ folder, server, errors, connect }) => {
    folder.fill("big", BIG);
    const clients = [await connect(), await connect(), await connect()];
    for (const client of clients) {
      await client.send("GET /big");
      await eventually(() => server.downloads().length > clients.indexOf(client), () => "taken");
    }
    await clients[0]!.answerHead();
    const [first, second, third] = server.downloads() as [Download, Download, Download];
    first.cancel(new Error("enough"));
    third.cancel(new Error("never mind"));
    assertEquals([first.state, third.state], ["ended", "ended"]);
    await sleep(200); // The word may have a way to go; nobody reads meanwhile.
    assert(await clients[0]!.countUntilEnd() < BIG);
    assertEquals(await clients[2]!.countUntilEnd(), 0);
    assertEquals((await clients[1]!.answer()).body.byteLength, BIG);
    await expectStats(server, { active: 0, queued: 0, finished: 3, connections: 1 });
    assertEquals(second.state, "ended");
    assertEquals(errors, ["Error: enough", "Error: never mind"]);
    assertEquals(ended, [new Error("enough"), new Error("never mind"), undefined]);
  }, { maxActive: 1, observer: { ended: (_download, error) => ended.push(error) } });
});

test("observer is told of every step, and cannot disturb", () => {
  const told: string[] = [];
  const note = (what: string) => (download: Download, bytes?: unknown) => {
    if (what !== "progress") told.push(`${what} ${download.request.target}`);
    else {
      const { target } = download.request;
      sums.set(target, (sums.get(target) ?? 0) + Number(bytes));
    }
    throw new Error("disturbing");
  };
  const sums = new Map<string, number>();
  return serving(async ({ folder, server, errors, connect }) => {
    folder.fill("big", BIG);
    folder.write("a", "here");
    const [first, second] = [await connect(), await connect()];
    await first.send("GET /big");
    await first.answerHead();
    await second.send("GET /a");
    // A manager elsewhere counts it as queued while it is on its way there.
    await eventually(() => told.includes("queued /a"), () => told.join(", "));
    await first.take(BIG);
    await second.answer();
    await expectStats(server, { finished: 2 });
    assertEquals(told, [
      "started /big",
      "queued /a",
      "started /a",
      "ended /big",
      "ended /a",
    ]);
    assertEquals([...sums], [["/big", BIG], ["/a", 4]]);
    assert(errors.every((error) => error === "Error: disturbing"));
  }, {
    maxActive: 1,
    observer: {
      queued: note("queued"),
      started: note("started"),
      progress: note("progress"),
      ended: note("ended"),
    },
  });
});

test("a client that takes nothing for stallTimeoutMs is cut off; a slow one is not", async () => {
  const clock = new VirtualClock();
  await serving(async ({ folder, server, errors, connect }) => {
    folder.fill("big", BIG);
    const stalled = await connect();
    const slow = await connect();
    for (const client of [stalled, slow]) {
      await client.send("GET /big");
      await client.answerHead();
    }
    for (let before = -1; before !== server.stats().bytes;) {
      before = server.stats().bytes;
      await sleep(100); // Until the kernel takes no more.
    }
    for (let round = 0; round < 4; round++) {
      const { bytes } = server.downloads().at(-1)!;
      await slow.take(4 * 2 ** 20);
      await eventually(() => server.downloads().at(-1)!.bytes > bytes, () => "it writes on");
      await sleep(20);
      await clock.advance(400);
    }
    await expectStats(server, { active: 1, connections: 1 });
    assertEquals(errors, ["DOWNLOAD_STALLED"]);
    assert(await stalled.countUntilEnd() < BIG);
    await slow.take(BIG - 16 * 2 ** 20);
    await expectStats(server, { active: 0, finished: 2 });
    await eventually(() => clock.pending === 1, () => "only the idle connection's timer");
  }, { clock, stallTimeoutMs: 1000 });
});

test("a client that leaves the queue gives its place to others", () =>
  serving(async ({ folder, server, errors, connect }) => {
    folder.fill("big", BIG);
    folder.write("a", "here");
    const first = await connect();
    await first.send("GET /big");
    await first.answerHead();
    for (let round = 0; round < 3; round++) {
      const leaving = await connect();
      await leaving.send("GET /a");
      await expectStats(server, { queued: 1 });
      if (round === 0) leaving.socket.abort();
      else await leaving.socket.close();
      await expectStats(server, { queued: 0, connections: 1 });
    }
    const last = await connect();
    await last.send("GET /a");
    await expectStats(server, { queued: 1 });
    await first.take(BIG);
    assertEquals((await last.answer()).status, 200);
    assertEquals(errors, ["SOCKET_RESET", "SOCKET_RESET", "SOCKET_RESET"]);
    await expectStats(server, { finished: 5, refused: 0 });
  }, { maxActive: 1, maxQueued: 1 }));
