// Digests: given, of the server, of each part; and what is fetched again when one is wrong.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { parallelGet, type ParallelGetOptions } from "../../mod.ts";
import { formatDigests } from "../../src/http/mod.ts";
import { readExpectedDigest } from "../../src/parallel/digests.ts";
import { test } from "../harness.ts";
import { Folder } from "../download/tools.ts";
import { pattern, rejection, sha256 } from "../transport/tools.ts";
import { type Asked, sendFile, withServer } from "./tools.ts";

const UNIT = 4096;
const BYTES = pattern(20 * UNIT + 7);
const OPTIONS: ParallelGetOptions = { sockets: 3, unitBytes: UNIT, backoffMs: 1, retries: 2 };

const field = (bytes: Uint8Array): string =>
  formatDigests(
    new Map([["sha-256", new Uint8Array(createHash("sha256").update(bytes).digest())]]),
  );
const REPR = { "Repr-Digest": field(BYTES) };
/** The bytes of a part with one of them changed. */
const damaged = ({ start }: Asked): Uint8Array<ArrayBuffer> => {
  const bytes = BYTES.slice();
  bytes[start + 1]! ^= 255;
  return bytes;
};
const verifyFailure = async (promise: Promise<unknown>): Promise<string> => {
  const error = await rejection(promise) as Error & { code?: string; operation?: string };
  assertEquals([error.code, error.operation], ["TRANSFER_FAILED", "verify"], error.message);
  return error.message;
};

test("parallelGet() compares with the digest that it is given, in any form", async () => {
  await withServer((asked) => sendFile(asked, BYTES), async ({ url }) => {
    const hex = sha256(BYTES);
    for (const digest of [hex, hex.toUpperCase(), ` sha256:${hex} `, field(BYTES)]) {
      const result = await parallelGet(url, { ...OPTIONS, digest });
      assertEquals([result.digest, result.isVerified], [hex, true]);
    }
    assertEquals((await parallelGet(url, OPTIONS)).isVerified, false);
    const none = await parallelGet(url, { ...OPTIONS, digest: false });
    assertEquals([none.digest, none.isVerified, none.data], ["", false, BYTES]);
    const message = await verifyFailure(parallelGet(url, { ...OPTIONS, digest: "0".repeat(64) }));
    assert(message.includes(hex) && message.includes("0".repeat(64)), message);
  });
});

test("readExpectedDigest() refuses what is no SHA-256", () => {
  for (const text of ["", "abc", "0".repeat(63), "g".repeat(64), "md5=:AAAA:", "sha-256=:AAAA:"]) {
    assertThrows(() => readExpectedDigest(text), TypeError, "64 hexadecimal digits");
  }
});

test("parallelGet() compares with the digest that the server sends", async () => {
  await withServer((asked) => sendFile(asked, BYTES, REPR), async ({ url }) => {
    assertEquals((await parallelGet(url, OPTIONS)).isVerified, true);
  });
  const wrong = { "Repr-Digest": field(BYTES.subarray(1)) };
  await withServer((asked) => sendFile(asked, BYTES, wrong), async ({ url }) => {
    await verifyFailure(parallelGet(url, OPTIONS));
    await verifyFailure(parallelGet(url, { ...OPTIONS, repair: false }));
    assertEquals((await parallelGet(url, { ...OPTIONS, digest: false })).data, BYTES);
  });
});

test("parallelGet() fetches only the part again whose own digest is wrong", async () => {
  let bad = true;
  const answer = (asked: Asked) => {
    const part = BYTES.subarray(asked.start, asked.end);
    const digest = { "Content-Digest": field(part) };
    const isBad = bad && asked.start === 5 * UNIT;
    if (isBad) bad = false;
    return sendFile(asked, isBad ? damaged(asked) : BYTES, digest);
  };
  await withServer(answer, async ({ url, asked }) => {
    const result = await parallelGet(url, { ...OPTIONS, unitDigests: true });
    assertEquals([result.data, result.bytes], [BYTES, BYTES.byteLength]);
    const starts = asked.map(({ start }) => start).sort((a, b) => a - b);
    const expected = Array.from({ length: 21 }, (_, unit) => unit * UNIT);
    expected.splice(5, 0, 5 * UNIT);
    assertEquals(starts, expected);
    for (const { fields } of asked) {
      assertEquals(fields.get("want-content-digest"), "sha-256=10");
    }
  });
});

test("parallelGet() gives up on a part whose digest is always wrong", async () => {
  const answer = (asked: Asked) =>
    sendFile(asked, BYTES, asked.start === 5 * UNIT ? { "Content-Digest": field(BYTES) } : {});
  await withServer(answer, async ({ url, asked }) => {
    await verifyFailure(parallelGet(url, OPTIONS));
    assertEquals(asked.filter(({ start }) => start === 5 * UNIT).length, 3);
  });
});

for (const hasUnitDigests of [true, false]) {
  const how = hasUnitDigests ? "its head" : "all of it";
  test(`parallelGet() puts a file right by asking for each part again, of which ${how} comes`, async () => {
    const folder = new Folder();
    try {
      let repairing = 0;
      const answer = (asked: Asked) => {
        const isBad = asked.start === 7 * UNIT && asked.count < 21;
        const isRepair = asked.fields.has("want-content-digest");
        if (isRepair) repairing++;
        const part = BYTES.subarray(asked.start, asked.end);
        const digest = isRepair && hasUnitDigests ? { "Content-Digest": field(part) } : {};
        return sendFile(asked, isBad ? damaged(asked) : BYTES, { ...REPR, ...digest });
      };
      await withServer(answer, async ({ url }) => {
        const to = folder.at("copy.bin");
        const result = await parallelGet(url, { ...OPTIONS, to });
        assertEquals([result.digest, result.isVerified], [sha256(BYTES), true]);
        assertEquals(sha256(readFileSync(to)), sha256(BYTES));
        assertEquals(repairing, 21);
        assertEquals(result.bytes, BYTES.byteLength);
        assertEquals(readdirSync(folder.path), ["copy.bin"]);
      });
    } finally {
      folder.remove();
    }
  });
}

test("parallelGet() puts a file right for a digest that is given only when told to", async () => {
  const answer = (asked: Asked) => sendFile(asked, asked.count === 4 ? damaged(asked) : BYTES);
  for (const repair of [true, false, undefined]) {
    await withServer(answer, async ({ url, asked }) => {
      const got = parallelGet(url, { ...OPTIONS, digest: sha256(BYTES), repair });
      if (repair === true) assertEquals((await got).data, BYTES);
      else await verifyFailure(got);
      assertEquals(asked.length, repair === true ? 42 : 21);
    });
  }
});

test("parallelGet() does not fetch a file again that the server says is another one", async () => {
  await withServer((asked) => sendFile(asked, BYTES, REPR), async ({ url, asked }) => {
    await verifyFailure(parallelGet(url, { ...OPTIONS, digest: "0".repeat(64) }));
    assertEquals(asked.length, 21);
  });
});
