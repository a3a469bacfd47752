// One socket, many workers: requests out, answers back in their order.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { JackfieldError, Socket } from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { type FramedOptions, FramedSocket } from "../../src/workers/framed_socket.ts";
import type { RequestHandler } from "../../src/workers/mod.ts";
import { test } from "../harness.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";
import {
  bytesOf,
  connectedPair,
  readAll,
  readExactly,
  rejection,
  textOf,
} from "../transport/tools.ts";
import { FakeWorkers } from "./fake_workers.ts";

/** A line is a request. */
const frame = (bytes: Uint8Array, seen: number): number | undefined => {
  const end = bytes.indexOf(10, seen);
  return end === -1 ? undefined : end + 1;
};

type Ask = (text: string) => Promise<string | undefined>;

/** One socket that is served by `ask`, and its client. */
async function serve(ask: Ask, options: Partial<FramedOptions> = {}, pipeBytes = 65_536): Promise<{
  client: Socket;
  running: Promise<void>;
  framed: FramedSocket;
}> {
  const network = memoryTransport({ pipeBytes });
  const { near, far, listener } = await connectedPair(network);
  await listener.close();
  const framed = new FramedSocket(far, { frame, ...options }, async (bytes) => {
    const answer = await ask(textOf(bytes).trimEnd());
    return answer === undefined ? undefined : bytesOf(`${answer}\n`);
  });
  const running = framed.run();
  running.catch(() => {});
  return { client: near, running, framed };
}

test("FramedSocket sends answers in the order of the requests, whoever is first (P6)", async () => {
  const asked: string[] = [];
  const waits = new Map<string, (text: string) => void>();
  const { client, running } = await serve((text) => {
    asked.push(text);
    return new Promise((resolve) => waits.set(text, resolve));
  });
  await client.write(bytesOf("a\nb\nc\nd"));
  await client.write(bytesOf("d\n"));
  while (waits.size < 4) await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(asked, ["a", "b", "c", "dd"]);
  for (const text of ["dd", "c", "b"]) waits.get(text)!(text);
  assertEquals(client.hasUnread, false);
  waits.get("a")!("first");
  assertEquals(textOf(await readExactly(client, 13)), "first\nb\nc\ndd\n");
  await client.closeWrite();
  assertEquals(await client.read(new Uint8Array(1)), null);
  await running;
});

test("FramedSocket keeps requests and answers together, however they come (P6)", async () => {
  await withSeeds(Array.from({ length: 20 }, (_, index) => index + 1), async (dice: Dice) => {
    const clock = new VirtualClock();
    const maxInFlight = 1 + dice.below(8);
    let running = 0;
    let most = 0;
    const ask: Ask = (text) => {
      most = Math.max(most, ++running);
      return new Promise((resolve) =>
        clock.schedule(dice.below(100), () => {
          running--;
          resolve(text.startsWith("-") ? undefined : `<${text}>`);
        })
      );
    };
    const { client, running: ended } = await serve(ask, { maxInFlight }, 64);
    const words = Array.from(
      { length: 60 },
      (_, index) => `${dice.below(5) === 0 ? "-" : ""}${"x".repeat(dice.below(50))}${index}`,
    );
    const sent = bytesOf(words.map((word) => `${word}\n`).join(""));
    const writing = (async () => {
      for (let at = 0; at < sent.byteLength;) {
        const count = 1 + dice.below(90);
        at += await client.write(sent.subarray(at, at + count));
      }
      await client.closeWrite();
    })();
    const reading = readAll(client);
    let isOver = false;
    const over = Promise.all([writing, reading, ended]).finally(() => isOver = true);
    while (!isOver) await clock.advance(20);
    await over;
    const expected = words.filter((word) => !word.startsWith("-")).map((word) => `<${word}>\n`);
    assertEquals(textOf(await reading), expected.join(""));
    assert(most <= maxInFlight, `${most} at once, ${maxInFlight} allowed`);
  });
});

test("FramedSocket reads no further while answers wait for the peer (P6)", async () => {
  let asked = 0;
  const { client, running } = await serve(
    (text) => {
      asked++;
      return Promise.resolve(text.repeat(100));
    },
    { maxInFlight: 4 },
    256,
  );
  // The peer reads nothing: what it is owed fills the pipe, then the places, then its own writing.
  const writing = client.write(bytesOf("abcdefg\n".repeat(500)));
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  assert(asked < 12, `${asked} requests were read`);
  const reading = readAll(client);
  await writing;
  await client.closeWrite();
  await running;
  assertEquals((await reading).byteLength, 500 * 701);
});

test("FramedSocket aborts a peer whose request has no end, with the limit in the error (P6)", async () => {
  const { client, running } = await serve(() => Promise.resolve("never"), {
    maxRequestBytes: 50_000,
  });
  let sent = 0;
  const writing = (async () => {
    for (;;) sent += await client.write(new Uint8Array(1000).fill(65));
  })();
  const error = await rejection(running) as JackfieldError;
  assertEquals([error.code, error.limit], ["REQUEST_INVALID", 50_000]);
  assertStringIncludes(error.message, "a request is longer than 50000 bytes");
  assertEquals((await rejection(writing)).code, "SOCKET_RESET");
  assert(sent <= 50_000 + 65_536, `${sent} bytes were taken`);
});

test("FramedSocket takes a request of exactly the limit, and of one byte", async () => {
  const lengths: number[] = [];
  const { client, running } = await serve((text) => {
    lengths.push(text.length + 1);
    return Promise.resolve(undefined);
  }, { maxRequestBytes: 20_000, unread: bytesOf("\n") });
  await client.write(bytesOf(`${"x".repeat(19_999)}\n\n${"y".repeat(19_999)}\n`));
  await client.closeWrite();
  await running;
  assertEquals(lengths, [1, 20_000, 1, 20_000]);
  const { client: other, running: failing } = await serve(() => Promise.resolve(undefined), {
    maxRequestBytes: 10,
    unread: bytesOf("0123456789\n"),
  });
  assertEquals((await rejection(failing)).code, "REQUEST_INVALID");
  other.abort();
});

test("FramedSocket shows its framing how much of a request it has seen", async () => {
  const shown: [number, number][] = [];
  const { client, running } = await serve((text) => Promise.resolve(text), {
    frame: (bytes, seen) => {
      shown.push([bytes.byteLength, seen]);
      return frame(bytes, seen);
    },
  });
  for (const text of ["ab", "c\nd", "\n"]) {
    await client.write(bytesOf(text));
    while (client.isBusy) await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await client.closeWrite();
  await running;
  assertEquals(shown, [[2, 0], [5, 2], [1, 0], [2, 1]]);
});

test("FramedSocket aborts on a wrong length, a throw, and an end within a request", async () => {
  for (const length of [0, -1, 1.5, 1000]) {
    const { client, running } = await serve(() => Promise.resolve(undefined), {
      frame: () => length,
    });
    await client.write(bytesOf("abc"));
    const error = await rejection(running);
    assertEquals(error.code, "REQUEST_INVALID");
    assertStringIncludes(error.message, `frame gave the length "${length}" for 3 bytes`);
    assertEquals((await rejection(client.read(new Uint8Array(1)))).code, "SOCKET_RESET");
  }
  const thrown = await serve(() => Promise.resolve(undefined), {
    frame: () => {
      throw new SyntaxError("no request");
    },
  });
  await thrown.client.write(bytesOf("abc"));
  assertEquals((await rejection(thrown.running)).message, "no request");
  const half = await serve(() => Promise.resolve(undefined));
  await half.client.write(bytesOf("abc"));
  await half.client.closeWrite();
  const error = await rejection(half.running);
  assertEquals(error.code, "REQUEST_INVALID");
  assertStringIncludes(error.message, "the stream ended within a request");
});

test("FramedSocket aborts when a request fails, unless onFailure has an answer", async () => {
  const failure = new Error("on purpose");
  const ask: Ask = (text) => text === "bad" ? Promise.reject(failure) : Promise.resolve(text);
  const bare = await serve(ask);
  await bare.client.write(bytesOf("good\nbad\ngood\n"));
  assertEquals(await rejection(bare.running), failure);
  const { client, running } = await serve(ask, { onFailure: () => bytesOf("sorry\n") });
  await client.write(bytesOf("good\nbad\ngood\n"));
  await client.closeWrite();
  assertEquals(textOf(await readAll(client)), "good\nsorry\ngood\n");
  await running;
});

test("FramedSocket.finish() answers what was read, and reads no further", async () => {
  const waits: (() => void)[] = [];
  const { client, running, framed } = await serve((text) =>
    new Promise((resolve) => waits.push(() => resolve(text)))
  );
  await client.write(bytesOf("a\nb\n"));
  while (waits.length < 2) await new Promise((resolve) => setTimeout(resolve, 0));
  const finishing = framed.finish();
  await client.write(bytesOf("c\n"));
  for (const answer of waits) answer();
  await Promise.all([finishing, running]);
  assertEquals(textOf(await readExactly(client, 4)), "a\nb\n");
  assertEquals(waits.length, 2);
  client.abort();
  const idle = await serve(() => Promise.resolve(undefined));
  await Promise.all([idle.framed.finish(), idle.running]);
  assertEquals(await idle.client.read(new Uint8Array(1)), null);
  idle.client.abort();
});

/** Answers with the text behind a line's first word, which says what happens. */
const lines: RequestHandler = (request, { data }) => {
  const text = textOf(request).trimEnd();
  if (text === "throw") throw new RangeError("on purpose");
  if (text === "hang") return new Promise(() => {});
  return bytesOf(text === "data" ? `${JSON.stringify(data)}\n` : `${text}\n`);
};

test("WorkerGroup.serveFramed() spreads the requests of one socket over all threads (P6)", async () => {
  const clock = new VirtualClock();
  const workers = new FakeWorkers(clock, { onRequest: lines });
  const group = workers.group({ threads: 3 });
  await workers.flow();
  const { client, server } = await workers.connect();
  const serving = group.serveFramed(server, { frame, data: { n: 1 } });
  await client.write(bytesOf("data\n" + "x\n".repeat(9)));
  const loads = new Set<string>();
  await clock.settle();
  loads.add(group.threads.map(({ requests }) => requests).join());
  assertEquals([...loads], ["4,3,3"]);
  await workers.flow();
  await client.closeWrite();
  await workers.flow();
  assertEquals(textOf(await readAll(client)), '{"n":1}\n' + "x\n".repeat(9));
  await serving;
  assertEquals(group.threads.map(({ load }) => load), [0, 0, 0]);
  const closing = group.close();
  await workers.flow();
  await closing;
  assertEquals(clock.pending, 0);
});

test("WorkerGroup.serveFramed() fails with the handler, its thread, or the deadline (P6)", async () => {
  const clock = new VirtualClock();
  const workers = new FakeWorkers(clock, { onRequest: lines });
  const group = workers.group({ threads: 1 });
  await workers.flow();
  const serve = async (text: string) => {
    const { client, server } = await workers.connect();
    const failing = rejection(group.serveFramed(server, { frame, timeoutMs: 500 }));
    await client.write(bytesOf(`${text}\n`));
    await workers.flow();
    return { client, failing };
  };
  const thrown = await serve("throw");
  const error = await thrown.failing;
  assertEquals(error.code, "WORKER_FAILED");
  assertStringIncludes(error.message, "Cannot serve request of");
  assertStringIncludes(error.message, "on purpose");
  assertEquals((await rejection(thrown.client.read(new Uint8Array(1)))).code, "SOCKET_RESET");
  const late = await serve("hang");
  await workers.pass(500);
  assertEquals((await late.failing).code, "WORKER_TIMEOUT");
  assertEquals(group.threads[0]!.requests, 1); // It is still at it.
  const lost = await serve("hang");
  workers.lives[0]!.die({ reason: "failed" });
  await workers.flow();
  assertEquals((await lost.failing).code, "WORKER_LOST");
  assertEquals(group.threads[0]!.requests, 0);
  // While no thread runs, requests wait.
  const { client, server } = await workers.connect();
  const serving = group.serveFramed(server, { frame });
  await client.write(bytesOf("waits\n"));
  await workers.pass(100);
  assertEquals(textOf(await readExactly(client, 6)), "waits\n");
  const aborted = group.abort();
  assertEquals((await rejection(serving)).code, "WORKER_CLOSED");
  await aborted;
});

test("WorkerGroup.close() answers the requests that were read", async () => {
  const clock = new VirtualClock();
  const workers = new FakeWorkers(clock, { onRequest: lines });
  const group = workers.group({ threads: 2 });
  await workers.flow();
  const { client, server } = await workers.connect();
  const serving = group.serveFramed(server, { frame });
  await client.write(bytesOf("a\nb\nc\n"));
  await clock.settle();
  const closing = group.close();
  await workers.flow();
  await Promise.all([closing, serving]);
  assertEquals(textOf(await readAll(client)), "a\nb\nc\n");
  assertEquals((await rejection(group.serveFramed(client, { frame }))).code, "WORKER_CLOSED");
  client.abort();
  assertEquals(clock.pending, 0);
});

test("WorkerGroup.serveFramed() checks its options, and leaves the socket as it is", async () => {
  const clock = new VirtualClock();
  const workers = new FakeWorkers(clock, { onRequest: lines });
  const group = workers.group({ threads: 1 });
  const { client, server } = await workers.connect();
  for (
    const options of [
      { frame: 5 },
      { frame, maxInFlight: 0 },
      { frame, maxRequestBytes: 1.5 },
      { frame, timeoutMs: 0 },
    ]
  ) {
    const error = await rejection(group.serveFramed(server, options as FramedOptions));
    assert(error instanceof TypeError || error instanceof RangeError, String(error));
  }
  assertEquals(server.state, "open");
  client.abort();
  server.abort();
  await group.abort();
});
