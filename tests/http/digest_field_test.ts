import { createHash } from "node:crypto";
import { assertEquals, assertThrows } from "@std/assert";
import {
  chooseDigest,
  type DigestAlgorithm,
  formatDigestPreferences,
  formatDigests,
  parseDigestPreferences,
  parseDigests,
} from "../../src/core.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";

const hash = (algorithm: string, text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(createHash(algorithm).update(text).digest());
const SHORT = hash("sha256", '{"hello": "world"}\n');
const LONG = hash("sha512", '{"hello": "world"}\n');
// The digests of RFC 9530, appendix B.1, written as it writes them.
const SHORT_TEXT = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
const LONG_TEXT = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCs" +
  "yRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";

test("formatDigests() and parseDigests() as in the examples of RFC 9530, B.1", () => {
  const digests = new Map<DigestAlgorithm, Uint8Array>([["sha-256", SHORT], ["sha-512", LONG]]);
  assertEquals(formatDigests(digests), `${SHORT_TEXT}, ${LONG_TEXT}`);
  assertEquals([...parseDigests(`${SHORT_TEXT}, ${LONG_TEXT}`)!], [...digests]);
  assertEquals(formatDigests(new Map()), "");
});

test("parseDigests() reads what formatDigests() wrote", async () => {
  await withSeeds([1], (dice) => {
    for (let count = 0; count < 200; count++) {
      const digest = Uint8Array.from({ length: 64 }, () => dice.below(256));
      const text = formatDigests(new Map([["sha-512", digest]]));
      assertEquals(parseDigests(text)?.get("sha-512"), digest);
    }
  });
});

test("parseDigests() leaves out algorithms that are not known (RFC 9530, 2)", () => {
  assertEquals([...parseDigests(`md5=:AAAA:, ${SHORT_TEXT}, x=5`)!.keys()], ["sha-256"]);
  assertEquals(parseDigests("md5=:AAAA:")?.size, 0);
  assertEquals(parseDigests("")?.size, 0);
});

test("parseDigests() believes nothing when a digest has the wrong length or kind (RFC 9530, 2)", () => {
  for (const value of [":AAAA:", "::", "5", "-1", ":" + "A".repeat(44) + ":"]) {
    assertEquals(parseDigests(`${LONG_TEXT}, sha-256=${value}`), undefined, value);
  }
});

test("parseDigests() takes the last of members with one key (RFC 9651, 3.2)", () => {
  const other = `sha-256=:${"A".repeat(43)}=:`;
  assertEquals(parseDigests(`${other}, ${SHORT_TEXT}`)?.get("sha-256"), SHORT);
  assertEquals(parseDigests(`sha-256=5, ${SHORT_TEXT}`)?.get("sha-256"), SHORT);
});

test("parseDigests() forgives missing padding, as RFC 9651, 4.2.7, asks", () => {
  const unpadded = `sha-256=:${SHORT_TEXT.slice("sha-256=:".length, -2)}:`;
  assertEquals(parseDigests(unpadded)?.get("sha-256"), SHORT);
});

test("parseDigests() steps over parameters of every kind (RFC 9651, 3.1.2)", () => {
  const values = [
    "",
    "=1",
    "=-999999999999999",
    "=1.5",
    '="a;,b\\"c\\\\"',
    "=tok/en:*",
    "=*",
    "=:AAAA:",
    "=?0",
    "=@1700000000",
    '=%"f%c3%bc"',
  ];
  for (const value of values) {
    assertEquals(parseDigests(`${SHORT_TEXT};a${value};*b=?1`)?.size, 1, value);
    assertEquals(parseDigests(`${SHORT_TEXT};  a${value}, ${LONG_TEXT}`)?.size, 2, value);
  }
});

test("parseDigests() refuses what is not well-formed (RFC 9651, 4.2)", () => {
  const fields = [
    "sha-256",
    "sha-256=",
    "sha-256=:AAAA",
    "sha-256=AAAA:",
    "sha-256=:A A:",
    "sha-256=:A:",
    "sha-256=:====:",
    "sha-256=:_-_-:",
    `${SHORT_TEXT},`,
    `,${SHORT_TEXT}`,
    `${SHORT_TEXT},,${LONG_TEXT}`,
    `${SHORT_TEXT} ${LONG_TEXT}`,
    `${SHORT_TEXT}; `,
    `${SHORT_TEXT} ;a`,
    `${SHORT_TEXT};A`,
    `${SHORT_TEXT};a=`,
    `${SHORT_TEXT};a="`,
    `${SHORT_TEXT};a="\\x"`,
    `${SHORT_TEXT};a=1.`,
    `${SHORT_TEXT};a=1.2345`,
    `${SHORT_TEXT};a=?2`,
    `${SHORT_TEXT};a=@1.5`,
    `${SHORT_TEXT};a=%"%C3"`,
    `\t${SHORT_TEXT}`,
    SHORT_TEXT.replace("=", " ="),
    SHORT_TEXT.replace("=", "= "),
    SHORT_TEXT.replace("sha", "SHA"),
    'x="text"',
    "x=(1 2)",
    "x",
    "1=1",
    "x=1.0",
    "x=1111111111111111",
    "x=--1",
  ];
  for (const field of fields) assertEquals(parseDigests(field), undefined, field);
});

test("parseDigests() allows blanks where RFC 9651, 4.2.2, does", () => {
  assertEquals(parseDigests(`  ${SHORT_TEXT} \t,\t ${LONG_TEXT}  `)?.size, 2);
});

test("parseDigestPreferences() reads integers from 0 to 10 (RFC 9530, 4)", () => {
  assertEquals(
    [...parseDigestPreferences("sha-512=3, sha-256=10, unixsum=0")!],
    [["sha-512", 3], ["sha-256", 10]],
  );
  for (const value of ["11", "-1", "1.0", "1.5", ":AAAA:", "?1", "a", "99999"]) {
    assertEquals(parseDigestPreferences(`sha-256=${value}`), undefined, value);
  }
  // What an unknown algorithm has does not matter, as long as it is an integer or bytes.
  assertEquals(parseDigestPreferences("x=11, sha-256=1")?.size, 1);
});

test("formatDigestPreferences() writes what parseDigestPreferences() reads", () => {
  const preferences = new Map<DigestAlgorithm, number>([["sha-512", 10], ["sha-256", 0]]);
  assertEquals(formatDigestPreferences(preferences), "sha-512=10, sha-256=0");
  assertEquals([...parseDigestPreferences("sha-512=10, sha-256=0")!], [...preferences]);
});

test("chooseDigest() takes the greatest preference, and none of 0 (RFC 9530, 4)", () => {
  const choose = (field: string, ...available: DigestAlgorithm[]) =>
    chooseDigest(parseDigestPreferences(field)!, available);
  assertEquals(choose("sha-256=1, sha-512=2", "sha-256", "sha-512"), "sha-512");
  assertEquals(choose("sha-256=2, sha-512=2", "sha-256", "sha-512"), "sha-256");
  assertEquals(choose("sha-256=2, sha-512=2", "sha-512", "sha-256"), "sha-512");
  assertEquals(choose("sha-256=0, sha-512=1", "sha-256"), undefined);
  assertEquals(choose("sha-512=1", "sha-256"), undefined);
  assertEquals(choose("sha-256=1"), undefined);
});

test("formatDigests() and formatDigestPreferences() refuse what nobody could read", () => {
  const md5 = "md5" as DigestAlgorithm;
  assertThrows(() => formatDigests(new Map([[md5, SHORT]])), TypeError, '"md5"');
  assertThrows(() => formatDigests(new Map([["sha-512", SHORT]])), RangeError, "32 bytes");
  assertThrows(() => formatDigestPreferences(new Map([[md5, 1]])), TypeError, '"md5"');
  for (const preference of [-1, 11, 0.5, NaN]) {
    const preferences = new Map<DigestAlgorithm, number>([["sha-256", preference]]);
    assertThrows(() => formatDigestPreferences(preferences), RangeError, `"${preference}"`);
  }
});
