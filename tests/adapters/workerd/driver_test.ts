import { assertEquals, assertThrows } from "@std/assert";
import {
  checkTlsOptions,
  endsOf,
  hostnameForWorkerd,
  WorkerdDriver,
} from "../../../src/adapters/workerd/driver.ts";
import type { WorkerdSocket } from "../../../src/adapters/workerd/runtime.ts";
import { JackfieldError, type SocketDriver } from "../../../src/core.ts";
import { test } from "../../harness.ts";
import { readDriver } from "../../transport/fakes.ts";
import { bytesOf, eventually, readExactly, rejection, textOf } from "../../transport/tools.ts";

/** A socket of Workers over streams; what was written stands in `sent`. */
function fakeSocket(readable: ReadableStream<Uint8Array>, sent: string[] = []): WorkerdSocket {
  const socket: WorkerdSocket = {
    readable,
    writable: new WritableStream({
      write: (chunk) => void sent.push(textOf(chunk)),
      close: () => void sent.push("<end>"),
      abort: () => void sent.push("<abort>"),
    }),
    opened: Promise.resolve({}),
    closed: new Promise(() => {}),
    close: () => Promise.resolve(),
    startTls: (options) => {
      sent.push(`<tls ${options?.expectedServerHostname ?? "as opened"}>`);
      return fakeSocket(streamOf("secret"), sent);
    },
  };
  return socket;
}

/** A stream without BYOB readers. */
function streamOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(bytesOf(chunk));
      controller.close();
    },
  }, { highWaterMark: 0 });
}

/** A stream with BYOB readers. */
function byteStreamOf(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      if (text !== "") controller.enqueue(bytesOf(text));
      controller.close();
    },
  }) as ReadableStream<Uint8Array>;
}

const readerOf = (driver: SocketDriver) => ({
  read: (into: Uint8Array) => readDriver(driver, into),
});

test("WorkerdDriver.read() keeps what a stream delivers unasked", async () => {
  const driver = new WorkerdDriver(fakeSocket(streamOf("abcdef", "", "gh")), "a.test");
  assertEquals(textOf(await readExactly(readerOf(driver), 4)), "abcd");
  assertEquals(await readDriver(driver, new Uint8Array(100)), 2);
  assertEquals(await readDriver(driver, new Uint8Array(100)), 2);
  assertEquals(await readDriver(driver, new Uint8Array(100)), null);
});

test("WorkerdDriver.read() takes no more than it was asked for where the stream can do so", async () => {
  const driver = new WorkerdDriver(fakeSocket(byteStreamOf("abcdefgh")), "a.test");
  const buffer = new Uint8Array(3);
  assertEquals([await readDriver(driver, buffer), textOf(buffer)], [3, "abc"]);
  assertEquals(buffer.byteLength, 3); // the caller's buffer was not detached
  assertEquals(textOf(await readExactly(readerOf(driver), 5)), "defgh");
});

test("WorkerdDriver.lookAhead() finds bytes and the end, and the next read gets them", async () => {
  const driver = new WorkerdDriver(fakeSocket(byteStreamOf("abc")), "a.test");
  const told: string[] = [];
  const tell = (what: string) => () => void told.push(what);
  driver.watch({
    arrived: tell("arrived"),
    ended: tell("ended"),
    failed: tell("failed"),
    gone: tell("gone"),
  });
  driver.lookAhead();
  assertEquals([driver.isLookingAhead, driver.hasUnread], [true, false]);
  await eventually(() => told.length > 0, () => "nothing was told");
  assertEquals([told, driver.isLookingAhead, driver.hasUnread], [["arrived"], false, true]);
  const error = await rejection(driver.startTls({ serverName: "a.test" }));
  assertEquals(error.message, "bytes arrived before the handshake");
  assertEquals(textOf(await readExactly(readerOf(driver), 3)), "abc");
  driver.lookAhead();
  await eventually(() => told.length > 1, () => "no end was told");
  assertEquals([told, await readDriver(driver, new Uint8Array(1))], [["arrived", "ended"], null]);
});

test("WorkerdDriver sends bytes and their end", async () => {
  const sent: string[] = [];
  const driver = new WorkerdDriver(fakeSocket(streamOf(), sent), "a.test");
  assertEquals(await driver.write(bytesOf("hello")), 5);
  await driver.closeWrite();
  await driver.close();
  assertEquals(sent, ["hello", "<end>"]);
  driver.abort(); // too late to matter
});

test("WorkerdDriver gives a lost connection the code of a reset", async () => {
  const lost = () => Promise.reject(new Error("Network connection lost."));
  const readable = new ReadableStream<Uint8Array>({ pull: lost }, { highWaterMark: 0 });
  const socket = { ...fakeSocket(readable), writable: new WritableStream({ write: lost }) };
  const driver = new WorkerdDriver(socket, "a.test");
  assertEquals((await rejection(readDriver(driver, new Uint8Array(1)))).code, "ECONNRESET");
  assertEquals((await rejection(driver.write(bytesOf("x")))).code, "ECONNRESET");
});

test("WorkerdDriver.startTls() names a server only when it differs from the one asked for", async () => {
  for (const [serverName, said] of [["a.test", "as opened"], ["b.test", "b.test"]]) {
    const sent: string[] = [];
    const plain = new WorkerdDriver(fakeSocket(byteStreamOf(""), sent), "a.test");
    const secured = await plain.startTls({ serverName });
    assertEquals(sent, [`<tls ${said}>`]);
    assertEquals(textOf(await readExactly(readerOf(secured), 6)), "secret");
    plain.abort(); // used up: its streams belong to the other one
  }
});

test("WorkerdDriver.startTls() refuses bytes that came before, and what Workers cannot do", async () => {
  const driver = new WorkerdDriver(fakeSocket(streamOf("early")), "a.test");
  await readDriver(driver, new Uint8Array(1));
  const error = await rejection(driver.startTls({ serverName: "a.test" }));
  assertEquals(error.message, "bytes arrived before the handshake");
  assertThrows(() => checkTlsOptions({ caCerts: [] }), JackfieldError, "tls caCerts");
  assertThrows(() => checkTlsOptions({ alpnProtocols: [] }), JackfieldError, "tls alpnProtocols");
  checkTlsOptions({ serverName: "a.test" });
});

test("endsOf() and hostnameForWorkerd() translate addresses", () => {
  const target = { hostname: "::1", port: 80 };
  assertEquals(endsOf({}, target), {
    localAddress: { hostname: "", port: 0 },
    remoteAddress: target,
  });
  assertEquals(endsOf({ remoteAddress: "[::1]:81", localAddress: "127.0.0.1:5" }, target), {
    localAddress: { hostname: "127.0.0.1", port: 5 },
    remoteAddress: { hostname: "::1", port: 81 },
  });
  assertEquals(["::1", "a.test", "127.0.0.1"].map(hostnameForWorkerd), [
    "[::1]",
    "a.test",
    "127.0.0.1",
  ]);
});
