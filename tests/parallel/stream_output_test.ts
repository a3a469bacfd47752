// Into a stream: in order, in bounded memory, at the reader's pace.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { parallelGet, type ParallelGetOptions } from "../../mod.ts";
import { test } from "../harness.ts";
import { concat, pattern, rejection, sha256, sleep } from "../transport/tools.ts";
import { type Asked, headOf, sendFile, sendText, sendWhole, withServer } from "./tools.ts";

const MIB = 2 ** 20;
const BYTES = pattern(6 * MIB + 11);
const OPTIONS: ParallelGetOptions = { sockets: 4, unitBytes: 128 * 1024, backoffMs: 1 };

/** A stream that keeps what it is given. */
function sink(write: (bytes: Uint8Array) => Promise<void> | void = () => {}): {
  to: WritableStream<Uint8Array>;
  parts: Uint8Array[];
  ended(): unknown;
} {
  const parts: Uint8Array[] = [];
  let ended: unknown;
  const to = new WritableStream<Uint8Array>({
    async write(bytes) {
      await write(bytes);
      parts.push(bytes);
    },
    close: () => void (ended = "closed"),
    abort: (reason) => void (ended = reason),
  });
  return { to, parts, ended: () => ended };
}

test("parallelGet() gives a stream the bytes in order, and closes it", async () => {
  // The units come in any order: some sockets are slow.
  const answer = async (asked: Asked) => {
    if (asked.count % 3 === 0) await sleep(asked.count % 7);
    await sendFile(asked, BYTES);
  };
  await withServer(answer, async ({ url }) => {
    const { to, parts, ended } = sink();
    const { digest, totalBytes, data, path, sockets } = await parallelGet(url, { ...OPTIONS, to });
    assertEquals(sha256(concat(parts)), sha256(BYTES));
    assertEquals([digest, totalBytes], [sha256(BYTES), BYTES.byteLength]);
    assertEquals([data, path, ended(), sockets.length], [undefined, undefined, "closed", 4]);
  });
});

test("parallelGet() fetches no unit for a stream before there is room for it", async () => {
  await withServer((asked) => sendFile(asked, BYTES), async ({ url, asked }) => {
    let release!: () => void;
    const held = new Promise<void>((resolve) => release = resolve);
    const { to, parts } = sink(() => held);
    const got = parallelGet(url, { ...OPTIONS, to, maxBufferBytes: MIB });
    await sleep(300); // It would have fetched everything many times.
    const furthest = Math.max(...asked.map(({ end }) => end));
    // One unit is with the reader; from its begin on there is one MiB.
    assertEquals(furthest, MIB);
    release();
    assertEquals((await got).digest, sha256(BYTES));
    assertEquals(sha256(concat(parts)), sha256(BYTES));
  });
});

test("parallelGet() reads a whole file no faster than its stream is read", async () => {
  for (const fields of [{}, { "Content-Length": undefined, Connection: "close" }]) {
    const answer = async (asked: Asked) => {
      await sendWhole(asked, BYTES, fields);
      await asked.socket.close();
    };
    await withServer(answer, async ({ url }) => {
      const { to, parts } = sink(() => sleep(1));
      const result = await parallelGet(url, { ...OPTIONS, to, maxBufferBytes: MIB });
      assertEquals([result.digest, result.oneSocketReason], [sha256(BYTES), "no-ranges"]);
      assertEquals(sha256(concat(parts)), sha256(BYTES));
    });
  }
});

test("parallelGet() aborts the stream with what went wrong", async () => {
  const answer = (asked: Asked) =>
    asked.start < MIB ? sendFile(asked, BYTES) : sendText(asked.socket, headOf(404));
  await withServer(answer, async ({ url }) => {
    const { to, parts, ended } = sink();
    const error = await rejection(parallelGet(url, { ...OPTIONS, to }));
    assertEquals(error.code, "HTTP_STATUS");
    await sleep(0);
    assertEquals(ended(), error);
    const got = concat(parts);
    assertEquals(sha256(got), sha256(BYTES.subarray(0, got.byteLength)));
  });
  await withServer((asked) => sendFile(asked, BYTES), async ({ url }) => {
    const { to, ended } = sink();
    const options = { ...OPTIONS, to, digest: "0".repeat(64) };
    const error = await rejection(parallelGet(url, options)) as Error & { operation?: string };
    assertEquals(error.operation, "verify");
    await sleep(0);
    assertEquals(ended(), error);
  });
});

test("parallelGet() ends with what its stream fails with", async () => {
  const oops = new Error("oops");
  for (const at of [0, 3]) {
    await withServer((asked) => sendFile(asked, BYTES), async ({ url }) => {
      let count = 0;
      const { to } = sink(() => {
        if (count++ === at) throw oops;
      });
      assertEquals(await rejection(parallelGet(url, { ...OPTIONS, to })), oops);
    });
  }
});

test("parallelGet() gives up while its stream takes nothing", async () => {
  await withServer((asked) => sendFile(asked, BYTES), async ({ url }) => {
    const controller = new AbortController();
    const { to } = sink(() => new Promise(() => {}));
    const got = rejection(parallelGet(url, { ...OPTIONS, to, signal: controller.signal }));
    await sleep(50);
    const reason = new Error("enough");
    controller.abort(reason);
    assertEquals(await got, reason);
  });
});

test("parallelGet() does not begin a stream anew that has been given bytes", async () => {
  const breaking = async (asked: Asked) => {
    await sendText(asked.socket, headOf(200, { "Content-Length": 2 * MIB }));
    await asked.socket.write(BYTES.subarray(0, MIB));
    await sleep(20);
    asked.socket.abort();
  };
  await withServer(breaking, async ({ url, asked }) => {
    const { to } = sink();
    const error = await rejection(parallelGet(url, { ...OPTIONS, to }));
    assertEquals([error.code, asked.length], ["TRANSFER_FAILED", 1]);
  });
});

test("parallelGet() refuses a stream that is locked, and what is no stream", async () => {
  const { to } = sink();
  const writer = to.getWriter();
  await assertRejects(() => parallelGet("http://127.0.0.1:1/x", { to }), TypeError);
  writer.releaseLock();
  for (const bad of [5, {}, null]) {
    const options = { to: bad as unknown as string };
    await assertRejects(() => parallelGet("http://127.0.0.1:1/x", options), TypeError);
  }
  const small = { to: sink().to, maxBufferBytes: 1000 };
  await assertRejects(() => parallelGet("http://127.0.0.1:1/x", small), RangeError, '"1000"');
  assert(!to.locked);
});
