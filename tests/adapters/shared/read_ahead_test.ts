import { assertEquals, assertThrows } from "@std/assert";
import { ReadAhead } from "../../../src/adapters/shared/read_ahead.ts";
import { test } from "../../harness.ts";
import { deferred } from "../../transport/fakes.ts";
import { bytesOf, pattern, rejection, textOf } from "../../transport/tools.ts";

/** A look-ahead over reads that the test settles, and what its watcher was told. */
function lookAhead() {
  const asked: (PromiseWithResolvers<number | null> & { into: Uint8Array })[] = [];
  const ahead = new ReadAhead((into) => {
    const read = { ...deferred<number | null>(), into };
    asked.push(read);
    return read.promise;
  });
  const told: string[] = [];
  ahead.watcher = {
    arrived: () => told.push("arrived"),
    ended: () => told.push("ended"),
    failed: (error) => told.push(`failed ${(error as Error).message}`),
    gone: () => told.push("gone"),
  };
  /** The runtime's read gets bytes. */
  const arrive = async (bytes: Uint8Array) => {
    const { into, resolve } = asked.at(-1)!;
    into.set(bytes);
    resolve(bytes.byteLength);
    await Promise.resolve();
  };
  return { ahead, asked, told, arrive };
}

function read(ahead: ReadAhead, into: Uint8Array): Promise<number | null> {
  const { promise, resolve, reject } = deferred<number | null>();
  const result = ahead.read(into, { resolve, reject });
  return result === undefined ? promise : Promise.resolve(result);
}

test("ReadAhead tells of bytes and holds them for readers of any size", async () => {
  const { ahead, asked, told, arrive } = lookAhead();
  ahead.look();
  assertEquals([ahead.isPending, ahead.isFirst, ahead.hasUnread], [true, true, false]);
  await arrive(bytesOf("abcdef"));
  assertEquals([ahead.isPending, ahead.hasUnread, ahead.bytes, told], [false, true, 6, [
    "arrived",
  ]]);
  ahead.look(); // reads no further before that is read
  const into = new Uint8Array(4);
  assertEquals([await read(ahead, into), textOf(into)], [4, "abcd"]);
  assertEquals(ahead.isFirst, true);
  assertEquals([await read(ahead, into), textOf(into.subarray(0, 2))], [2, "ef"]);
  assertEquals([ahead.isFirst, asked.length], [false, 1]);
});

test("ReadAhead gives the bytes of its pending read to the reader who waits", async () => {
  const { ahead, asked, told, arrive } = lookAhead();
  ahead.look();
  ahead.look();
  const into = new Uint8Array(4);
  const reading = read(ahead, into);
  await arrive(bytesOf("abcdef"));
  assertEquals([await reading, textOf(into)], [4, "abcd"]);
  assertEquals([await read(ahead, into), textOf(into.subarray(0, 2))], [2, "ef"]);
  assertEquals([told, asked.length], [[], 1]);
});

test("ReadAhead takes whole looks one after the other through one buffer", async () => {
  const { ahead, asked, arrive } = lookAhead();
  for (let round = 0; round < 3; round++) {
    ahead.look();
    const sent = pattern(asked.at(-1)!.into.byteLength, round);
    await arrive(sent);
    const into = new Uint8Array(sent.byteLength * 2);
    assertEquals(await read(ahead, into), sent.byteLength);
    assertEquals(into.subarray(0, sent.byteLength), sent);
  }
  assertEquals(asked[0]!.into === asked[2]!.into, true);
});

test("ReadAhead gives the end, told or awaited, again and again", async () => {
  for (const waiting of [false, true]) {
    const { ahead, asked, told } = lookAhead();
    ahead.look();
    const into = new Uint8Array(1);
    const reading = waiting ? read(ahead, into) : undefined;
    asked[0]!.resolve(null);
    await Promise.resolve();
    assertEquals(await (reading ?? read(ahead, into)), null);
    assertEquals([await read(ahead, into), ahead.hasUnread], [null, true]);
    ahead.look();
    assertEquals([asked.length, told], [1, waiting ? [] : ["ended"]]);
  }
});

test("ReadAhead gives a failure, told or awaited", async () => {
  for (const waiting of [false, true]) {
    const { ahead, asked, told } = lookAhead();
    ahead.look();
    const into = new Uint8Array(1);
    const reading = waiting ? rejection(read(ahead, into)) : undefined;
    const failure = new Error("reset");
    asked[0]!.reject(failure);
    await clearTurn();
    if (reading !== undefined) assertEquals(await reading === failure, true);
    const nobody = { resolve() {}, reject() {} };
    assertEquals(assertThrows(() => ahead.read(into, nobody)) === failure, true);
    ahead.look();
    assertEquals([ahead.hasUnread, asked.length], [true, 1]);
    assertEquals(told, waiting ? [] : ["failed reset"]);
  }
});

test("ReadAhead without a watcher holds what comes", async () => {
  const { ahead, arrive } = lookAhead();
  ahead.watcher = undefined;
  ahead.look();
  await arrive(bytesOf("x"));
  assertEquals(ahead.bytes, 1);
});

/** Let a rejection arrive. */
async function clearTurn(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await Promise.resolve();
}
