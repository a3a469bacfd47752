import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AddressTable, hostAddresses, type Strategy } from "../../../src/core.ts";
import {
  type BundleMember,
  connectStriped,
  listenStriped,
  type UnitRequest,
} from "../../../src/parallel/striped/mod.ts";
import { memoryTransport } from "../../../src/testing/mod.ts";
import { test } from "../../harness.ts";
import { pattern, readAll, readExactly, rejection } from "../../transport/tools.ts";
import { drive } from "./model_tools.ts";
import { type Place, withBundle } from "./tools.ts";

const MIB = 2 ** 20;

test("connectStriped() gives one ordinary socket over several", async () => {
  await withBundle({ sockets: 3 }, async ({ clock, near, far }) => {
    await clock.advance(100);
    assertEquals([near.state, far.state], ["open", "open"]);
    assertEquals([near.bundle.sockets, near.bundle.members.length], [3, 3]);
    assertEquals(far.bundle.members.length, 3);
    assertEquals(near.remoteAddress, far.localAddress);
    const bytes = pattern(5 * MIB, 1);
    const sending = near.write(bytes).then(() => near.closeWrite());
    assertEquals(await drive(clock, readAll(far)), bytes);
    await drive(clock, sending);
    assertEquals([near.state, far.state], ["half-closed", "half-closed"]);
    for (const { sentBytes } of near.bundle.members) assert(sentBytes > MIB, `${sentBytes}`);
    assertEquals(near.bundle.heldBytes, 0);
    await far.write(bytes.subarray(0, 10));
    await drive(clock, far.closeWrite());
    assertEquals(await readAll(near), bytes.subarray(0, 10));
    await clock.advance(100);
    assertEquals([near.state, far.state], ["closed", "closed"]);
    await Promise.all([near.closed, far.closed]);
  });
});

test("connectStriped() sends on connections that each have their own local address", async () => {
  const transport = memoryTransport();
  const listener = await listenStriped({ transport });
  const source = hostAddresses(["127.0.0.2", "127.0.0.3", "127.0.0.4"]);
  const addresses = new AddressTable({ transport, source });
  const near = await connectStriped(listener.address as Place, { addresses, sockets: 3 });
  const far = await listener.accept();
  while (far.bundle.members.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  const used = far.bundle.members.map(({ remoteAddress }) => remoteAddress.hostname);
  assertEquals(used.sort(), ["127.0.0.2", "127.0.0.3", "127.0.0.4"]);
  await Promise.all([near.close(), far.close()]);
  await listener.close();
  await addresses[Symbol.asyncDispose]();
  assertEquals(transport.openEnds, 0);
});

test("StripedSocket.write() waits for the reader, and holds no more than the window", async () => {
  await withBundle({ sockets: 2 }, async ({ clock, near, far }) => {
    const sending = near.write(pattern(4 * MIB, 2)).then(() => "sent");
    await clock.advance(5000);
    const waiting = await Promise.race([sending, Promise.resolve("waiting")]);
    assertEquals(waiting, "waiting");
    assert(near.bundle.heldBytes <= MIB, `${near.bundle.heldBytes}`);
    assertEquals((await drive(clock, readExactly(far, 4 * MIB))).byteLength, 4 * MIB);
    assertEquals(await drive(clock, sending), "sent");
  });
});

test("StripedSocket.write() goes on when a unit is on its way, without a word of the far end", async () => {
  await withBundle({ sockets: 1, unitBytes: 1024 }, async ({ clock, weather, near, far }) => {
    await clock.advance(100);
    weather.sockets[0]!.hold(); // What far sends comes into the pipe, and is not answered.
    const sending = far.write(pattern(64 * 1024, 4));
    await clock.advance(10);
    const [{ inFlightBytes } = { inFlightBytes: 0 }] = far.bundle.members;
    assertEquals([inFlightBytes, far.bundle.heldBytes], [4 * 1024, 8 * 1024]); // Four wait.
    weather.sockets[0]!.release();
    await drive(clock, readExactly(near, 64 * 1024));
    await drive(clock, sending);
  });
});

test("StripedSocket.closeWrite() resolves when the far end has everything", async () => {
  await withBundle({ sockets: 1 }, async ({ clock, weather, near, far }) => {
    weather.sockets[0]!.hold();
    await near.write(pattern(10, 1));
    let isDone = false;
    const closing = near.closeWrite().then(() => void (isDone = true));
    await clock.advance(500);
    assertEquals(isDone, false);
    weather.sockets[0]!.release();
    await drive(clock, closing);
    assertEquals((await readAll(far)).byteLength, 10);
  });
});

test("StripedSocket.abort() resets the other end", async () => {
  await withBundle({ sockets: 2 }, async ({ near, far }) => {
    const reading = rejection(far.read(new Uint8Array(1)));
    near.abort();
    assertEquals((await reading).code, "SOCKET_RESET");
    assertEquals((await rejection(far.write(new Uint8Array(1)))).code, "SOCKET_RESET");
  });
});

for (const side of ["near", "far"] as const) {
  const name = side === "near" ? "connecting" : "accepting";
  test(`StripedSocket.close() of the ${name} side brings what was written, and refuses what still comes`, async () => {
    await withBundle({ sockets: 2 }, async ({ clock, near, far, told }) => {
      const [closing, other] = side === "near" ? [near, far] : [far, near];
      await closing.write(pattern(1000, 1));
      const closed = closing.close();
      await clock.advance(100);
      assertEquals((await rejection(other.write(new Uint8Array(1)))).code, "SOCKET_RESET");
      assertEquals((await readAll(other)).byteLength, 1000);
      await drive(clock, closed);
      assertEquals([closing.state, closing.bundle.members.length], ["closed", 0]);
      assertEquals(told, []);
    });
  });
}

test("Bundle.resize() adds and removes sockets while bytes flow", async () => {
  await withBundle({ sockets: 1 }, async ({ clock, near, far, told }) => {
    const bytes = pattern(12 * MIB, 3);
    const reading = readAll(far);
    const sending = (async () => {
      for (let at = 0; at < bytes.byteLength; at += MIB) {
        if (at === 3 * MIB) near.bundle.resize(5);
        if (at === 8 * MIB) near.bundle.resize(2);
        await near.write(bytes.subarray(at, at + MIB));
        await clock.settle();
      }
      await near.closeWrite();
    })();
    assertEquals(await drive(clock, reading), bytes);
    await drive(clock, sending);
    await clock.advance(1000);
    assertEquals([near.bundle.members.length, far.bundle.members.length], [2, 2]);
    assertEquals(told, []);
    for (const sockets of [0, 65, 1.5]) {
      assertThrows(() => near.bundle.resize(sockets), RangeError, `"${sockets}"`);
    }
    const error = assertThrows(() => far.bundle.resize(2));
    assertEquals((error as { code?: string }).code, "UNSUPPORTED");
  });
});

test("connectStriped() asks the strategy for the socket of each unit", async () => {
  const asked: UnitRequest[] = [];
  const strategy: Strategy<BundleMember, UnitRequest> = (members, request) => {
    asked.push(request);
    return members.toSorted((a, b) => a.localAddress.port - b.localAddress.port)[0];
  };
  await withBundle({ sockets: 3, strategy, unitBytes: 1024 }, async ({ clock, near, far }) => {
    await clock.advance(100);
    for (let count = 0; count < 5; count++) {
      await near.write(pattern(100, 1));
      await drive(clock, readExactly(far, 100));
    }
    const shares = near.bundle.members.map(({ sentBytes }) => sentBytes).sort();
    assertEquals(shares, [0, 0, 500]);
    assertEquals(asked[1], { offset: 100, bytes: 100 });
  });
});

test("connectStriped() ends with the error of a strategy that chooses something else", async () => {
  const strategy = (() => ({})) as unknown as Strategy<BundleMember, UnitRequest>;
  await withBundle({ strategy }, async ({ near, far }) => {
    const reading = rejection(far.read(new Uint8Array(1)));
    await near.write(new Uint8Array(1));
    const error = await rejection(near.read(new Uint8Array(1)));
    assert(String(error).includes("Cannot use choice of strategy"), String(error));
    assertEquals((await reading).code, "SOCKET_RESET");
  });
});

test("A stalled socket does not hold the stream up: its units are sent on another one", async () => {
  await withBundle(
    { sockets: 2, resendAfterMs: 400, stallTimeoutMs: 5000 },
    async ({ clock, weather, near, far, told }) => {
      await clock.advance(100);
      const bytes = pattern(3 * MIB, 5);
      weather.sockets[0]!.hold();
      const sending = near.write(bytes);
      const beganMs = clock.now();
      assertEquals(await drive(clock, readExactly(far, bytes.byteLength)), bytes);
      await drive(clock, sending);
      assert(clock.now() - beganMs < 1000, `${clock.now() - beganMs} ms`);
      assert(near.bundle.resentBytes > 0);
      assertEquals(near.bundle.members.map(({ isStalled }) => isStalled).sort(), [false, true]);
      assertEquals(told, []);
      await clock.advance(6000); // Then it is given up, and another one takes its place.
      assertEquals(near.bundle.members.map(({ isStalled }) => isStalled), [false, false]);
      assert(
        told.some(({ error }) => error.message.includes("nothing has moved on it for 5000 ms")),
      );
    },
  );
});

test("A stalled socket that everything waits for has its units sent on another one sooner", async () => {
  await withBundle({ sockets: 2, resendAfterMs: 8000 }, async ({ clock, weather, near, far }) => {
    await clock.advance(100);
    weather.sockets[0]!.hold();
    const bytes = pattern(3 * MIB, 5);
    const sending = near.write(bytes);
    const beganMs = clock.now();
    assertEquals(await drive(clock, readExactly(far, bytes.byteLength)), bytes);
    await drive(clock, sending);
    const tookMs = clock.now() - beganMs;
    assert(tookMs >= 2000 && tookMs < 4000, `${tookMs} ms`);
  });
});

test("A slow socket is none that stands still: nothing is sent twice", async () => {
  const slow = { kind: "delay", delayMs: 20 } as const;
  await withBundle(
    { sockets: 2, resendAfterMs: 400, stallTimeoutMs: 800 },
    async ({ clock, near, far, told }) => {
      const sending = near.write(pattern(256 * 1024, 5)); // One unit takes 5 seconds.
      const beganMs = clock.now();
      await drive(clock, readExactly(far, 256 * 1024));
      await drive(clock, sending);
      assert(clock.now() - beganMs > 4000, `${clock.now() - beganMs} ms`);
      assertEquals([near.bundle.resentBytes, told], [0, []]);
    },
    { pipeBytes: 1024, faults: (operation) => operation === "write" ? slow : undefined },
  );
});

test("A socket that leads nowhere is found out although there is nothing to send", async () => {
  await withBundle({ sockets: 2, stallTimeoutMs: 4000 }, async ({ clock, weather, near, told }) => {
    await clock.advance(20_000);
    assertEquals(told, []);
    const [lost] = weather.sockets;
    lost!.hold();
    await clock.advance(8000);
    assert(told.length > 0);
    assertEquals(near.bundle.members.length, 2);
    assert(!weather.sockets.includes(lost!));
  });
});

test("A bundle without a socket ends with SOCKET_RESET after lossTimeoutMs, at both ends", async () => {
  await withBundle({ sockets: 2, lossTimeoutMs: 7000 }, async ({ clock, weather, near, far }) => {
    const failing = [near, far].map((end) => rejection(end.read(new Uint8Array(1))));
    weather.refuses = () => true;
    for (const socket of [...weather.sockets]) socket.abort();
    await clock.advance(6900);
    assertEquals([near.state, far.state], ["open", "open"]);
    await clock.advance(200);
    for (const error of await Promise.all(failing)) {
      assertEquals(error.code, "SOCKET_RESET");
      assert(error.message.includes("no socket of it stood for 7000 ms"), error.message);
    }
  });
});

test("A connecting side that misses the last word asks for it", async () => {
  await withBundle({ sockets: 1 }, async ({ clock, weather, near, far }) => {
    await near.write(pattern(100, 1));
    const ends = Promise.all([near.closeWrite(), far.closeWrite(), readAll(near), readAll(far)]);
    weather.sockets[0]!.hold(); // Nothing that far says arrives; then the socket is lost.
    await clock.advance(50);
    weather.sockets[0]!.abort();
    await drive(clock, ends);
    await clock.advance(5000);
    assertEquals([near.state, far.state], ["closed", "closed"]);
  });
});

test("connectStriped() and listenStriped() refuse bad options and show the value", async () => {
  const transport = memoryTransport();
  const target = { hostname: "127.0.0.1", port: 1 };
  for (
    const options of [
      { unitBytes: 1023 },
      { unitBytes: 2 ** 20 + 1 },
      { windowBytes: 2 ** 20 - 1 },
      { sockets: 0 },
      { sockets: 65 },
      { backoffMs: 0 },
      { resendAfterMs: -1 },
      { stallTimeoutMs: NaN },
    ]
  ) {
    const [[name, value]] = Object.entries(options) as [[string, number]];
    const words = `Cannot use ${name} "${value}"`;
    await assertRejects(() => connectStriped(target, { transport, ...options }), RangeError, words);
  }
  await assertRejects(() => connectStriped(target), TypeError, "expected a transport");
  for (const name of ["maxBundles", "maxPending", "maxSockets", "maxHandshakes"]) {
    const words = `Cannot use ${name} "0"`;
    await assertRejects(() => listenStriped({ transport, [name]: 0 }), RangeError, words);
  }
});

test("connectStriped() gives up when its signal says so", async () => {
  const transport = memoryTransport();
  const listener = await transport.listen(); // It never says welcome.
  const controller = new AbortController();
  const connecting = connectStriped(listener.address as Place, {
    transport,
    signal: controller.signal,
  });
  const reason = new Error("enough");
  await listener.accept();
  controller.abort(reason);
  assertEquals(await rejection(connecting), reason);
  await listener.close();
});
