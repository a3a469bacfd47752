// Strangers, and far ends that do not keep to the wire format.
import { assert, assertEquals } from "@std/assert";
import type { Socket } from "../../../src/core.ts";
import { listenStriped, type ListenStripedOptions } from "../../../src/parallel/striped/mod.ts";
import {
  ASK,
  DONE,
  emptyFrame,
  END,
  type Frame,
  HEADER_BYTES,
  writeFrame,
} from "../../../src/parallel/striped/frame.ts";
import { encodeHello, type Hello, WELCOME_BYTES } from "../../../src/parallel/striped/hello.ts";
import { type MemoryTransport, memoryTransport, VirtualClock } from "../../../src/testing/mod.ts";
import { test } from "../../harness.ts";
import { withSeeds } from "../../support/seeds.ts";
import { readAll, readExactly, rejection } from "../../transport/tools.ts";
import type { Place } from "./tools.ts";

interface Scene {
  readonly clock: VirtualClock;
  readonly network: MemoryTransport;
  readonly listener: Awaited<ReturnType<typeof listenStriped>>;
  /** What `onError` was told. */
  readonly told: string[];
  /** Connect and say something. */
  say(bytes: Uint8Array): Promise<Socket>;
}

async function withListener(
  options: Partial<ListenStripedOptions>,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock();
  const network = memoryTransport({ clock });
  const told: string[] = [];
  const listener = await listenStriped({
    transport: network,
    clock,
    windowBytes: 2 ** 20,
    onError: (error, { stage }) => void told.push(`${stage}: ${(error as Error).message}`),
    ...options,
  });
  const say = async (bytes: Uint8Array) => {
    const socket = await network.connect(listener.address as Place);
    await socket.write(bytes);
    return socket;
  };
  await run({ clock, network, listener, told, say });
  await listener.close();
  await clock.advance(60_000);
  assertEquals(clock.pending, 0);
}

const hello = (facts: Partial<Hello> = {}): Uint8Array =>
  encodeHello({
    purpose: "open",
    unitBytes: 4096,
    id: new Uint8Array(16).fill(1),
    key: new Uint8Array(32).fill(2),
    ...facts,
  });

/** A frame, and a unit behind it. */
function frame(facts: Partial<Frame>, unitBytes = 0): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + unitBytes);
  writeFrame(new DataView(bytes.buffer), 0, { ...emptyFrame(), limit: 2 ** 20, ...facts });
  return bytes;
}

test("listenStriped() closes strangers without a word, and tells onError why", async () => {
  await withListener({ handshakeTimeoutMs: 3000 }, async ({ clock, told, say }) => {
    const first = await say(hello());
    const otherKey = new Uint8Array(32).fill(2);
    otherKey[31] = 3;
    const strangers: [said: Uint8Array, why: string][] = [
      [new TextEncoder().encode(`GET / HTTP/1.1\r\n${"x".repeat(60)}`), "does not begin with JFST"],
      [hello({ purpose: "join", key: otherKey }), "no such bundle, or the key is another one"],
      [hello({ purpose: "join", id: otherKey.subarray(16) }), "no such bundle, or the key"],
      [hello({ purpose: "join", unitBytes: 2048 }), "no such bundle, or the key is another one"],
      [hello(), "there is a bundle of this name"],
      [hello().map((byte, at) => at === 4 ? 2 : byte), "it speaks version 2, expected 1"],
    ];
    for (const [said, why] of strangers) {
      const stranger = await say(said);
      assertEquals((await readAll(stranger)).byteLength, 0);
      assert(told.at(-1)!.includes(why), `${told.at(-1)}`);
      stranger.abort();
    }
    const silent = await say(new Uint8Array(63));
    await clock.advance(3100);
    assertEquals((await rejection(silent.read(new Uint8Array(1)))).code, "SOCKET_RESET");
    assert(told.at(-1)!.includes("no handshake within 3000 ms"), told.at(-1));
    assertEquals(told.length, strangers.length + 1);
    first.abort();
    await clock.advance(60_000);
  });
});

test("listenStriped() bounds bundles, sockets and handshakes", async () => {
  const limits = { maxBundles: 1, maxSockets: 2, maxHandshakes: 3, handshakeTimeoutMs: 1000 };
  await withListener(limits, async ({ clock, told, say }) => {
    const sockets = [await say(hello()), await say(hello({ purpose: "join" }))];
    for (const socket of sockets) await readExactly(socket, WELCOME_BYTES);
    sockets.push(await say(hello({ purpose: "join" })));
    assertEquals((await readAll(sockets[2]!)).byteLength, 0);
    assert(told.at(-1)!.includes("the bundle has 2 sockets already"), told.at(-1));
    sockets.push(await say(hello({ id: new Uint8Array(16) })));
    assertEquals((await readAll(sockets[3]!)).byteLength, 0);
    assert(told.at(-1)!.includes("1 bundles stand already"), told.at(-1));
    // Three silent ones take all places; who comes behind them waits until their time is over.
    for (let count = 0; count < 3; count++) sockets.push(await say(new Uint8Array(1)));
    const last = await say(hello({ purpose: "join" }));
    let isAnswered = false;
    const answer = readAll(last).then(() => isAnswered = true);
    await clock.advance(900);
    assertEquals(isAnswered, false);
    await clock.advance(200);
    assertEquals(await answer, true);
    for (const socket of [...sockets, last]) socket.abort();
    await clock.advance(60_000);
  });
});

const faults: [name: string, frames: Uint8Array, why: string][] = [
  ["flags that nobody knows", frame({ flags: 64 }), "it has unknown flags (64)"],
  ["a unit that is too long", frame({ length: 4097 }), "a unit of 4097 bytes, at most 4096"],
  ["the longest unit of all", frame({ length: 2 ** 32 - 1 }), "a unit of 4294967295 bytes"],
  ["a unit beyond the limit", frame({ offset: 2 ** 20, length: 1 }), "beyond the limit of 1048576"],
  ["an acknowledgement of nothing", frame({ acknowledged: 1 }), "acknowledges 1, which was not"],
  ["arrivals that never were", frame({ arrived: 4000 }), "it says that 4000 bytes have arrived"],
  ["an offset without a unit", frame({ offset: 1 }), "its frame without a unit has an offset"],
  ["DONE from the connecting side", frame({ flags: DONE }), "it says DONE before the end"],
  [
    "a unit behind the end",
    new Uint8Array([...frame({ flags: END }), ...frame({ offset: 0, length: 1 })]),
    "its unit ends at 1, and the stream at 0",
  ],
  [
    "an end before what was sent",
    new Uint8Array([...frame({ offset: 10, length: 10 }, 10), ...frame({ flags: END, offset: 5 })]),
    "the stream ends at 5, and it has sent up to 20",
  ],
  [
    "units that overlap",
    new Uint8Array([...frame({ length: 10 }, 10), ...frame({ offset: 5, length: 10 }, 10)]),
    "its unit at 5 was cut in another way before",
  ],
  [
    "early units that overlap",
    new Uint8Array([
      ...frame({ offset: 10, length: 10 }, 10),
      ...frame({ offset: 15, length: 10 }, 10),
    ]),
    "its unit at 15 was cut in another way before",
  ],
  [
    "an early unit that overlaps the first one",
    new Uint8Array([
      ...frame({ offset: 10, length: 10 }, 10),
      ...frame({ offset: 0, length: 15 }, 15),
    ]),
    "its unit at 10 was cut in another way before",
  ],
];

for (const [name, frames, why] of faults) {
  test(`listenStriped() ends a bundle with a clear error: ${name}`, async () => {
    await withListener({}, async ({ clock, listener, say }) => {
      const near = await say(hello());
      const far = await listener.accept();
      const failing = rejection(far.closed);
      const reading = (async () => {
        while (await far.read(new Uint8Array(100)) !== null);
      })().catch(() => {});
      await near.write(frames);
      await clock.advance(2000);
      const error = await failing;
      await reading;
      assertEquals(error.code, "SOCKET_FAILED");
      assert(error.message.includes("broke the wire format"), error.message);
      assert(error.message.includes(why), error.message);
      near.abort();
    });
  });
}

test("listenStriped() takes a unit of every byte twice for one", async () => {
  await withListener({}, async ({ clock, listener, say }) => {
    const near = await say(hello());
    const far = await listener.accept();
    const unit = frame({ length: 4 }, 4);
    await near.write(new Uint8Array([...unit, ...unit, ...frame({ flags: END, offset: 4 })]));
    assertEquals((await readAll(far)).byteLength, 4);
    near.abort();
    await clock.advance(60_000);
  });
});

test("listenStriped() keeps no more than 4096 units out of order", async () => {
  await withListener({}, async ({ clock, listener, say }) => {
    const near = await say(hello());
    const far = await listener.accept();
    const failing = rejection(far.read(new Uint8Array(1)));
    for (let count = 0; count < 4097; count++) {
      await near.write(frame({ offset: 10 + 2 * count, length: 1 }, 1)).catch(() => {});
    }
    await clock.advance(2000);
    assert((await failing).message.includes("more than 4096 of its units wait"));
    near.abort();
  });
});

test("listenStriped() answers ASK, and no frame that does not ask", async () => {
  await withListener({}, async ({ clock, listener, say }) => {
    const near = await say(hello());
    const far = await listener.accept();
    await readExactly(near, WELCOME_BYTES + HEADER_BYTES);
    await near.write(frame({}));
    await clock.advance(1000);
    assertEquals(near.hasUnread, false);
    await near.write(frame({ flags: ASK }));
    await clock.advance(1000);
    assertEquals((await readExactly(near, HEADER_BYTES)).byteLength, HEADER_BYTES);
    assertEquals(near.hasUnread, false);
    near.abort();
    far.abort();
  });
});

test("listenStriped() survives whatever a far end says (fuzz)", async () => {
  await withSeeds(Array.from({ length: 120 }, (_, seed) => seed + 1), async (dice) => {
    await withListener({ handshakeTimeoutMs: 500 }, async ({ clock, listener, network, say }) => {
      const bytes = [hello(), frame({ length: 20 }, 20), frame({ offset: 20, length: 30 }, 30)];
      for (let count = dice.below(20); count > 0; count--) {
        bytes.push(frame({
          flags: dice.oneOf([0, END, ASK, dice.below(256)]),
          length: dice.oneOf([0, 10, 4096, dice.below(2 ** 32)]),
          offset: dice.oneOf([0, 50, dice.below(2 ** 21)]),
          acknowledged: dice.oneOf([0, 0, 1, dice.below(2 ** 32)]),
          arrived: dice.oneOf([0, 40, dice.below(2 ** 32)]),
        }, dice.oneOf([0, 10, dice.below(5000)])));
      }
      const all = new Uint8Array(bytes.flatMap((part) => [...part]));
      for (let count = dice.below(4); count > 0; count--) {
        all[dice.oneOf([dice.below(64), dice.below(all.length)])] = dice.below(256);
      }
      const near = await network.connect(listener.address as Place);
      const far = listener.accept().then(async (socket) => {
        const into = new Uint8Array(1000);
        while (await socket.read(into).catch(() => null) !== null);
        await rejection(socket.write(into)).catch(() => {});
        socket.abort();
      }, () => {});
      near.write(all).then(() => near.closeWrite()).catch(() => {});
      await clock.advance(1500);
      near.abort();
      await clock.advance(120_000); // Both ends have given up.
      // Somebody in good order still gets through.
      const other = await say(hello({ id: new Uint8Array(16).fill(9) }));
      await readExactly(other, WELCOME_BYTES);
      other.abort();
      await listener.close();
      await clock.advance(120_000);
      await far;
      assertEquals(network.openEnds, 0);
    });
  });
});
