// A desk that is somewhere else: what comes and goes, what is told, and what happens when it dies.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { JackfieldError } from "../../../mod.ts";
import { test } from "../../harness.ts";
import { withSeeds } from "../../support/seeds.ts";
import { bytesOf, textOf } from "../../transport/tools.ts";
import { FakeDesks, FILES, watched } from "./fake_desks.ts";

for (const kind of ["thread", "process"] as const) {
  test(`RemoteDesk.take() sends on the same connection and gives it back, ${kind}`, async () => {
    const desks = new FakeDesks({}, { kind });
    const { client, front } = await desks.accept();
    const taken = watched(desks.take(front, "/large", { unread: bytesOf("next") }));
    assertEquals(front.state, "gone"); // at once
    const reading = client.answer();
    await desks.settle();
    assertEquals((await reading).body, FILES.large);
    const { status, bytes, socket } = taken.value!;
    assertEquals([status, bytes, socket!.state], [200, 60_000, "open"]);
    const buffer = new Uint8Array(9);
    assertEquals(await socket!.read(buffer), 4);
    assertEquals(textOf(buffer.subarray(0, 4)), "next"); // what was read too far came back
    const again = watched(desks.take(socket!, "/none", { keepAlive: false }));
    const missing = client.answer();
    await desks.settle();
    assertEquals((await missing).status, 404);
    await client.socket.close();
    await desks.settle();
    assertEquals(again.value!.socket, undefined);
    assertEquals(desks.desk.stats(), {
      active: 0,
      queued: 0,
      finished: 2,
      refused: 0,
      bytes: 60_000 + "There is no such file.\n".length,
      engine: { name: "copy" },
    });
    const closing = watched(desks.desk.close());
    await desks.settle();
    assert("value" in closing);
    assertEquals([desks.isAlive, desks.left], [false, [0, 0, 0, 0]]);
    assertEquals([desks.errors, desks.clock.pending], [[], 0]);
  });
}

test("RemoteDesk starts nothing before it is needed, and keeps the program only while it is", async () => {
  const desks = new FakeDesks();
  await desks.settle();
  assertEquals(desks.startedMs, []);
  const checked = watched(desks.desk.check());
  await desks.settle();
  assertEquals([Object.keys(checked), desks.refs.at(-1)], [["value"], false]);
  const { client, front } = await desks.accept();
  const taken = watched(desks.take(front, "/large"));
  await desks.settle();
  assertEquals([desks.startedMs.length, desks.refs.at(-1)], [1, true]);
  const reading = client.answer();
  await desks.settle();
  await reading;
  assertEquals([taken.value!.status, desks.refs.at(-1)], [200, false]);
  taken.value!.socket!.abort();
  void desks.desk.close();
  await desks.settle();
});

test("RemoteDesk.close() needs no desk when none was started", async () => {
  const desks = new FakeDesks();
  await desks.desk.close();
  assertEquals([desks.startedMs, desks.clock.pending], [[], 0]);
});

test("RemoteDesk loses what a dead desk had, and starts another one for the rest", async () => {
  const desks = new FakeDesks();
  const second = await desks.accept();
  const third = await desks.accept();
  const stuck = watched(desks.take(second.front, "/large"));
  await desks.settle(); // The client reads nothing: it is being sent.
  assertEquals(desks.desk.stats().active, 1);
  desks.die();
  await desks.settle();
  assertEquals(stuck.error?.code, "DOWNLOAD_LOST");
  assertMatch(stuck.error!.message, /the manager's process has ended by SIGKILL$/);
  assert(await second.client.countUntilEnd() < FILES.large.byteLength);
  const next = watched(desks.take(third.front, "/small"));
  await desks.settle();
  assertEquals([desks.startedMs, desks.desk.stats().queued], [[0], 1]);
  const reading = third.client.answer();
  await desks.pass(100);
  assertEquals((await reading).body, FILES.small);
  assertEquals([next.value!.status, desks.startedMs], [200, [0, 100]]);
  assertEquals(new Set(desks.codes), new Set(["DOWNLOAD_LOST"]));
  next.value!.socket!.abort();
  void desks.desk.close();
  await desks.pass(100);
  assertEquals([desks.left, desks.clock.pending], [[0, 0, 0, 0], 0]);
});

test("RemoteDesk sends what was on its way to a dead desk to the next one", async () => {
  const desks = new FakeDesks();
  const checked = watched(desks.desk.check());
  await desks.settle();
  assert("value" in checked);
  const { client, front } = await desks.accept();
  const taken = watched(desks.take(front, "/small"));
  for (let turns = 0; turns < 20; turns++) await desks.clock.settle(); // Nothing arrives there.
  desks.die();
  const reading = client.answer();
  await desks.pass(100);
  assertEquals((await reading).body, FILES.small);
  assertEquals([taken.value!.status, desks.startedMs], [200, [0, 100]]);
  assertEquals(desks.codes, ["DOWNLOAD_LOST"]); // The desk alone, and no download.
  taken.value!.socket!.abort();
  void desks.desk.close();
  await desks.settle();
  assertEquals(desks.left, [0, 0, 0, 0]);
});

test("RemoteDesk takes a desk that says nothing and takes nothing for dead", async () => {
  const desks = new FakeDesks({}, { kind: "thread" });
  const checked = watched(desks.desk.check());
  await desks.settle();
  assert("value" in checked);
  desks.isMute = true;
  const { client, front } = await desks.accept();
  const taken = watched(desks.take(front, "/small"));
  const reading = client.answer();
  await desks.pass(10_050);
  assertEquals((await reading).status, 503);
  await client.socket.close();
  await desks.pass(2000);
  assertEquals([taken.value?.status, desks.codes], [503, ["HANDOFF_TIMEOUT", "DOWNLOAD_LOST"]]);
  desks.isMute = false;
  const next = await desks.accept();
  const served = watched(desks.take(next.front, "/small"));
  const answered = next.client.answer();
  await desks.pass(100);
  assertEquals([(await answered).status, desks.startedMs.length], [200, 2]);
  served.value!.socket!.abort();
  void desks.desk.close();
  await desks.settle();
});

test("RemoteDesk answers 503 when no desk comes in time, and says each time why", async () => {
  const desks = new FakeDesks();
  desks.beforeStart = () => {
    throw new Error("no thread today");
  };
  const { client, front } = await desks.accept();
  const taken = watched(desks.take(front, "/small"));
  const reading = client.answer();
  await desks.pass(10_000, 100);
  const { status, fields } = await reading;
  assertEquals([status, fields.get("retry-after"), fields.get("connection")], [503, "1", "close"]);
  await client.socket.close();
  await desks.pass(100);
  assertEquals([taken.value!.status, taken.value!.socket], [503, undefined]);
  assertEquals(desks.startedMs, [0, 100, 300, 700, 1500, 3100, 6300]); // each wait is twice as long
  const words = desks.errors.map((error) => (error as Error).message);
  assertEquals(
    words[0],
    "Cannot keep download manager's process: no thread today; the next one may start in 100 ms",
  );
  assertMatch(words[6]!, /process, 7 times in a row: no thread today; .* in 6400 ms$/);
  assertMatch(words[7]!, /^Cannot wait for download manager: it was not there within 10000 ms$/);
  assertEquals([desks.desk.stats().refused, desks.desk.stats().finished], [1, 0]);
  // Nobody waits: no further attempt is made before somebody comes.
  await desks.pass(60_000, 1000);
  assertEquals(desks.startedMs.length, 8); // the one that was under way
  desks.beforeStart = () => {};
  const next = await desks.accept();
  const served = watched(desks.take(next.front, "/small"));
  const answered = next.client.answer();
  await desks.pass(100);
  assertEquals([(await answered).status, served.value?.status], [200, 200]);
  served.value!.socket!.abort();
  void desks.desk.close();
  await desks.settle();
  assertEquals([desks.left, desks.clock.pending], [[0, 0, 0, 0], 0]);
});

test("RemoteDesk rests no longer than 10 s, spread by chance, and begins anew after a good time", async () => {
  const desks = new FakeDesks({}, { random: () => 0 });
  desks.desk.keep();
  void desks.desk.check().catch(() => {});
  await desks.settle();
  for (let deaths = 0; deaths < 12; deaths++) {
    desks.die();
    await desks.pass(5000, 25);
    assert(desks.isAlive, `after ${deaths + 1} deaths`);
  }
  const waits = desks.startedMs.slice(1).map((ms, index) => ms - 5000 * index);
  assertEquals(waits, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000, 5000]);
  await desks.pass(10_000, 500);
  desks.die();
  await desks.pass(50, 25);
  assert(desks.isAlive, "the count has begun anew");
  void desks.desk.close();
  await desks.settle();
});

test("RemoteDesk that may not be elsewhere stays here, or says so at once", async () => {
  const never = () => {
    throw new JackfieldError("UNSUPPORTED", "Cannot use threads: none", { feature: "threads" });
  };
  const staying = new FakeDesks({}, { mayStay: true });
  staying.beforeStart = never;
  const { client, front } = await staying.accept();
  const taken = watched(staying.take(front, "/small"));
  const reading = client.answer();
  await staying.settle();
  assertEquals([(await reading).status, taken.value?.status], [200, 200]);
  assertEquals([staying.errors, staying.startedMs], [[], [0]]);
  await staying.desk.check();
  taken.value!.socket!.abort();
  await staying.desk.close();

  const named = new FakeDesks();
  named.beforeStart = never;
  const checked = watched(named.desk.check());
  await named.settle();
  assertEquals(checked.error?.code, "UNSUPPORTED");
  const other = await named.accept();
  const refused = watched(named.take(other.front, "/small"));
  const answered = other.client.answer();
  await named.pass(100);
  assertEquals((await answered).status, 503);
  await other.client.socket.close();
  await named.settle();
  assertEquals(refused.value?.status, 503);
  await named.desk.close();
});

test("RemoteDesk tells progress at most every 50 ms, and all of it in the end", async () => {
  let sum = 0;
  let told = 0;
  const events: string[] = [];
  const desks = new FakeDesks({
    observer: {
      queued: () => events.push("queued"),
      started: () => events.push("started"),
      progress: (_download, bytes) => {
        told++;
        sum += bytes;
      },
      ended: ({ bytes, totalBytes, status }) => events.push(`${status} ${bytes} ${totalBytes}`),
    },
    maxBytesPerSecond: 100_000,
  });
  const { client, front } = await desks.accept();
  const taken = watched(desks.take(front, "/large"));
  const reading = client.answer();
  await desks.pass(1000, 10);
  await reading;
  assertEquals(taken.value?.bytes, 60_000);
  assertEquals([sum, events], [60_000, ["started", "200 60000 60000"]]);
  assert(told > 2 && told <= 14, `${told} times`);
  taken.value!.socket!.abort();
  void desks.desk.close();
  await desks.settle();
});

test("Download.cancel() and pause() of a desk elsewhere hold at every moment", async () => {
  const desks = new FakeDesks();
  const before = await desks.accept();
  const early = watched(desks.take(before.front, "/large"));
  desks.desk.downloads()[0]!.cancel(new Error("before the desk was there"));
  assertEquals(desks.desk.downloads().length, 0);
  await desks.settle();
  assertEquals(early.error?.message, "before the desk was there");
  assertEquals(await before.client.countUntilEnd(), 0);

  const moving = await desks.accept();
  const cut = watched(desks.take(moving.front, "/large"));
  await desks.clock.settle();
  desks.desk.downloads()[0]!.cancel(new Error("on its way"));
  await desks.settle();
  assertEquals(cut.error?.message, "on its way");
  assert(await moving.client.countUntilEnd() < 60_000);

  const held = await desks.accept();
  desks.die(); // There is no desk for a while.
  await desks.settle();
  const taken = watched(desks.take(held.front, "/large"));
  const [download] = desks.desk.downloads();
  download!.pause(); // before it was sent
  const reading = held.client.answer();
  await desks.pass(500);
  assertEquals([download!.paused, taken.value], [true, undefined]);
  assert(download!.bytes < 60_000);
  download!.resume();
  await desks.pass(100);
  assertEquals((await reading).body, FILES.large);
  taken.value!.socket!.abort();
  await desks.settle();
  assertEquals(desks.codes, [
    "Error: before the desk was there",
    "Error: on its way",
    "DOWNLOAD_LOST",
  ]);

  const other = await desks.accept();
  const late = watched(desks.take(other.front, "/large"));
  desks.desk.downloads()[0]!.pause(); // on its way
  const answering = other.client.answer();
  await desks.pass(500);
  assertEquals([desks.desk.stats().active, late.value], [1, undefined]);
  desks.desk.downloads()[0]!.resume();
  await desks.pass(100);
  assertEquals((await answering).body, FILES.large);
  late.value!.socket!.abort();
  void desks.desk.close();
  await desks.settle();
  assertEquals(desks.left, [0, 0, 0, 0]);
});

test("RemoteDesk settles every take and leaves nothing, whenever desks die", () =>
  withSeeds([1, 2, 3, 4, 5, 6, 7, 8], async (dice) => {
    const kind = dice.oneOf(["thread", "process"] as const);
    const desks = new FakeDesks({ maxActive: 3, maxQueued: 6 }, { kind, random: dice.random });
    const results: ReturnType<typeof watched>[] = [];
    let wrong = 0;
    const visit = async () => {
      const { client, front } = await desks.accept();
      const name = dice.oneOf(["small", "large"] as const);
      const result = watched(desks.take(front, `/${name}`));
      results.push(result);
      if (dice.below(5) > 0) {
        client.answer().then(({ status, body }) => {
          if (status === 200 && body.byteLength !== FILES[name].byteLength) wrong++;
          client.socket.abort();
        }, () => client.socket.abort());
      } else client.socket.abort();
    };
    for (let step = 0; step < 60; step++) {
      const chance = dice.below(10);
      if (chance < 5) await visit();
      else if (chance < 6 && desks.isAlive) desks.die();
      else if (chance < 8) { for (let count = dice.below(20); count > 0; count--) desks.step(); }
      else await desks.pass(dice.below(300));
      await desks.clock.settle();
    }
    void desks.desk.close();
    await desks.pass(70_000, 500);
    assertEquals(wrong, 0);
    assertEquals(results.filter((one) => !("value" in one) && !("error" in one)).length, 0);
    for (const one of results) {
      (one.value as { socket?: { abort(): void } } | undefined)?.socket?.abort();
    }
    await desks.settle();
    assertEquals([desks.left, desks.clock.pending, desks.isAlive], [[0, 0, 0, 0], 0, false]);
  }));
