// The codec: real packets, what we write ourselves, and whatever else may come over a network.
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  decodeMessage,
  type DhcpMessage,
  encodeMessage,
  MalformedMessage,
  OPTION,
} from "../../../src/integrations/dhcp/message.ts";
import { readReply } from "../../../src/integrations/dhcp/reply.ts";
import { clientIdentifier, colonHex } from "../../../src/integrations/dhcp/identity.ts";
import { test } from "../../harness.ts";
import { type Dice, withSeeds } from "../../support/seeds.ts";
import { CAPTURED } from "./captured.ts";

for (const { name, type, bytes } of CAPTURED) {
  test(`readReply() reads a real ${name}`, () => {
    const reply = readReply(bytes);
    assertEquals([reply.type, reply.server, reply.relayAddress], [
      type,
      "10.77.0.1",
      "10.77.255.1",
    ]);
    if (type === "nak") {
      assertEquals(reply.hostname, "0.0.0.0");
      assertEquals(reply.words, name.includes("dnsmasq") ? "wrong network" : "");
    } else {
      const { leaseMs, renewMs, rebindMs, hostname } = reply;
      assertEquals([leaseMs, renewMs, rebindMs], [120_000, 60_000, 105_000]);
      assert(/^10\.77\.1\.\d+$/.test(hostname), hostname);
    }
    const owner = "5f0d3c1a-7b52-4f4e-9a55-1b6f2f6a9c01";
    const echoed = name.includes("Kea") ? clientIdentifier(owner, 0) : undefined; // RFC 6842
    assertEquals(reply.clientIdentifier, echoed);
  });
}

/** A message with these options. */
function message(options: [number, readonly number[]][]): DhcpMessage {
  return {
    operation: 2,
    hops: 1,
    transactionId: 0xfedcba98,
    seconds: 7,
    isBroadcast: true,
    clientAddress: "10.0.0.1",
    yourAddress: "10.0.0.2",
    relayAddress: "10.0.0.3",
    hardwareAddress: Uint8Array.of(2, 0, 0x5e, 16, 0, 255),
    options: new Map(options.map(([code, value]) => [code, Uint8Array.from(value)])),
  };
}

const TYPE: [number, number[]] = [OPTION.messageType, [5]];
const SERVER: [number, number[]] = [OPTION.serverIdentifier, [10, 0, 0, 9]];
const TIME: [number, number[]] = [OPTION.leaseSeconds, [0, 0, 1, 0]];

test("decodeMessage() reads what encodeMessage() writes", () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const option = fc.tuple(
    fc.integer({ min: 1, max: 254 }).filter((code) => code !== OPTION.overload),
    fc.array(byte, { maxLength: 255 }),
  );
  const options = fc.uniqueArray(option, { selector: ([code]) => code, maxLength: 20 });
  fc.assert(
    fc.property(options, (options) => {
      const written = message(options);
      assertEquals(decodeMessage(encodeMessage(written)), written);
    }),
    { seed: 12, numRuns: 200 },
  );
  assert(encodeMessage(message([])).byteLength === 300); // Old relay agents drop shorter ones.
});

test("decodeMessage() puts an option of several parts together (RFC 3396)", () => {
  const bytes = new Uint8Array(300);
  bytes.set(encodeMessage(message([[OPTION.words, [65, 66]], [12, [1]]])));
  bytes.set([OPTION.words, 2, 67, 68, OPTION.pad, OPTION.pad, OPTION.words, 0, OPTION.end], 247);
  assertEquals(decodeMessage(bytes).options.get(OPTION.words), Uint8Array.of(65, 66, 67, 68));
});

test("decodeMessage() reads options in the fields for names (option 52)", () => {
  for (const which of [1, 2, 3]) {
    const bytes = encodeMessage(message([[OPTION.overload, [which]]]));
    bytes.set([51, 4, 0, 0, 0, 9, 255, 53, 1, 6], 108); // `file`; nothing counts after its end.
    bytes.set([54, 4, 10, 0, 0, 1, 255], 44); // `sname`
    const { options } = decodeMessage(bytes);
    assertEquals(options.has(51), which !== 2);
    assertEquals(options.has(54), which !== 1);
    assertEquals(options.has(53), false);
  }
});

test("decodeMessage() refuses what is cut off or none of its own, and says why", () => {
  const whole = encodeMessage(message([TYPE, SERVER, TIME]));
  const changed = (at: number, ...bytes: number[]) => {
    const copy = whole.slice();
    copy.set(bytes, at);
    return copy;
  };
  const bad: [Uint8Array, string][] = [
    [new Uint8Array(0), "too short"],
    [whole.slice(0, 239), "too short"],
    [changed(0, 3), "operation"],
    [changed(1, 6), "hardware address"],
    [changed(2, 16), "hardware address"],
    [changed(236, 0), "cookie"],
    [whole.slice(0, 241), "option 53 is cut off"],
    [changed(241, 200), "option 53 is cut off"],
    [changed(240, 52, 1, 4), "option 52"],
    [changed(240, 52, 0), "option 52"],
  ];
  for (const [bytes, words] of bad) {
    assertThrows(() => decodeMessage(bytes), MalformedMessage, words);
  }
});

test("readReply() refuses what no server would say", () => {
  const bad: [[number, number[]][], Partial<DhcpMessage>, string][] = [
    [[TYPE, SERVER, TIME], { operation: 1 }, "no reply"],
    [[SERVER, TIME], {}, "type"],
    [[[53, [1]], SERVER, TIME], {}, "type"],
    [[[53, [5, 5]], SERVER, TIME], {}, "option 53 has 2 bytes"],
    [[TYPE, TIME], {}, "names no server"],
    [[TYPE, [54, [10, 0, 0]], TIME], {}, "names no server"],
    [[TYPE, [54, [0, 0, 0, 0]], TIME], {}, "names no server"],
    [[TYPE, SERVER], {}, "how long"],
    [[TYPE, SERVER, [51, [0, 0, 0, 0]]], {}, "how long"],
    [[TYPE, SERVER, [51, [0, 0, 1]]], {}, "option 51 has 3 bytes"],
    [[TYPE, SERVER, TIME, [58, [1]]], {}, "option 58 has 1 bytes"],
    [[TYPE, SERVER, TIME], { yourAddress: "0.0.0.0" }, "no address of a host"],
    [[TYPE, SERVER, TIME], { yourAddress: "127.0.0.1" }, "no address of a host"],
    [[TYPE, SERVER, TIME], { yourAddress: "224.0.0.1" }, "no address of a host"],
    [[TYPE, SERVER, TIME], { yourAddress: "255.255.255.255" }, "no address of a host"],
  ];
  for (const [options, fields, words] of bad) {
    const bytes = encodeMessage({ ...message(options), ...fields });
    assertThrows(() => readReply(bytes), MalformedMessage, words);
  }
  const forever = encodeMessage(message([TYPE, SERVER, [51, [255, 255, 255, 255]]]));
  assertEquals(readReply(forever).leaseMs, Infinity);
  const steering = encodeMessage(message([TYPE, SERVER, TIME, [56, [27, 91, 65, 10, 66]]]));
  assertEquals(readReply(steering).words, "[AB");
});

/** Real packets with a few bytes changed, added or cut off. */
function mutated({ below, oneOf, random }: Dice): Uint8Array {
  let bytes = oneOf(CAPTURED).bytes.slice();
  for (let changes = 1 + below(8); changes > 0; changes--) {
    const at = random() < 0.7 ? 236 + below(64) : below(bytes.byteLength);
    if (at < bytes.byteLength) bytes[at] = oneOf([0, 1, 4, 52, 53, 54, 255, below(256)]);
    if (random() < 0.1) bytes = bytes.slice(0, below(bytes.byteLength + 1));
  }
  return bytes;
}

test("readReply() throws nothing but MalformedMessage, whatever the bytes are", () =>
  withSeeds([1, 2], (dice) => {
    const counts = { read: 0, refused: 0 };
    for (let round = 0; round < 20_000; round++) {
      const isNoise = dice.random() < 0.2;
      const bytes = isNoise
        ? Uint8Array.from({ length: dice.below(400) }, () => dice.below(256))
        : mutated(dice);
      if (isNoise && bytes.byteLength > 240) {
        bytes.set([2, 1, 6]);
        bytes.set([0x63, 0x82, 0x53, 0x63], 236);
      }
      try {
        readReply(bytes);
        counts.read++;
      } catch (error) {
        if (!(error instanceof MalformedMessage)) {
          throw new Error(colonHex(bytes), { cause: error });
        }
        counts.refused++;
      }
    }
    assert(counts.read > 1000 && counts.refused > 1000, JSON.stringify(counts));
  }));
