// Heads with faults, against llhttp: what we take for a good head, llhttp must take for the same one.
// JACKFIELD_HEADS says how many heads, JACKFIELD_SEED which seed.
import process from "node:process";
import { assert, assertEquals } from "@std/assert";
import { HeadReader, parseRequestHead, refusalOf, type RequestHead } from "../../src/http/mod.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { Llhttp, type OracleRequest } from "./llhttp.ts";
import { mutatedHead } from "./mutate.ts";
import { latin1, source } from "./tools.ts";

const HEADS = Number(process.env.JACKFIELD_HEADS ?? 8000);
const SEEDS: readonly number[] = Array.from({ length: 10 }, (_, index) => index + 1);

/** Where we are stricter on purpose: why we refuse what llhttp accepts. */
const STRICTER: readonly RegExp[] = [
  // llhttp leaves Host and repeated fields to its user.
  /field Host is missing/,
  /bad Host/,
  /field ".+" comes twice/,
  // llhttp takes HTTP/0.9, HTTP/2.0, and targets with fragments, quotes and angle brackets.
  /malformed line/,
  /is not spoken here/,
  // llhttp takes any form of a target for any method, and any host in it.
  /cannot serve target/,
  // llhttp skips any number of CR and LF before a request, also bare ones, and a bare LF in HTTP/0.9.
  /does not begin with a method/,
  /ends with a bare line feed/,
  // llhttp fails behind the head here, not in it.
  /Transfer-Encoding ".*" does not end with one chunked/,
  // llhttp takes it for what it means in HTTP/1.1 (RFC 9112, section 6.1, says: faulty).
  /Transfer-Encoding in HTTP\/1\.0/,
  // llhttp takes some of them.
  /tab in field/,
];

/** Methods that llhttp knows and the mutations have. It refuses those that it does not know. */
const METHODS = /^(GET|HEAD|POST|PUT|OPTIONS)$/;

interface Ours {
  readonly request: RequestHead;
  readonly firstLine: string;
  readonly end: number;
}

/** What we read of the bytes, or why it is refused. */
async function readOurs(bytes: Uint8Array): Promise<Ours | string> {
  const reader = new HeadReader(source(bytes), "HTTP_BAD_REQUEST");
  try {
    const head = await reader.next();
    if (head === undefined) return "nothing came";
    const firstLine = String.fromCharCode(...head.subarray(0, head.indexOf(13)));
    const end = bytes.byteLength - reader.unread.byteLength;
    return { request: parseRequestHead(head), firstLine, end };
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return refusal.reason;
  }
}

/** Nothing that we read may be anything else for llhttp. */
function assertSame({ request, firstLine, end }: Ours, oracle: OracleRequest, text: string): void {
  if (!METHODS.test(request.method) || request.hasBody) return; // Refused a step later.
  const shown = JSON.stringify(text);
  assert(oracle.accepted, `llhttp refuses ${shown}: ${oracle.reason}`);
  assertEquals(
    `${oracle.method} ${oracle.target} HTTP/1.${oracle.minorVersion}`,
    firstLine,
    `first line of ${shown}`,
  );
  assertEquals([...request.fields], [...oracle.fields], `fields of ${shown}`);
  assert(!request.keepAlive || oracle.keepAlive, `llhttp closes after ${shown}`);
  assertEquals(end, oracle.consumed, `the end of the request in ${shown}`);
}

test("parseRequestHead() accepts no mutated head that llhttp refuses or reads otherwise", {
  timeoutMs: 600_000,
}, async () => {
  const llhttp = new Llhttp();
  let accepted = 0;
  await withSeeds(SEEDS, async (dice) => {
    for (let count = 0; count < HEADS / SEEDS.length; count++) {
      const text = mutatedHead(dice);
      const bytes = latin1(text);
      const ours = await readOurs(bytes);
      const oracle = llhttp.read(bytes);
      if (typeof ours !== "string") {
        assertSame(ours, oracle, text);
        accepted++;
      } else if (oracle.accepted) {
        const known = STRICTER.some((reason) => reason.test(ours));
        assert(known, `llhttp accepts ${JSON.stringify(text)}, we do not: ${ours}`);
      }
    }
  });
  // Mutations that only make heads that everybody refuses would prove nothing.
  assert(accepted > HEADS / 100, `${accepted} of ${HEADS} heads were good`);
});

test("HeadReader reads mutated heads alike, whole or in pieces", async () => {
  await withSeeds(SEEDS.slice(0, 2), async (dice) => {
    for (let count = 0; count < 500; count++) {
      const text = mutatedHead(dice);
      const cut = dice.below(text.length + 1);
      const pieces = dice.below(2) === 0 ? [...text] : [text.slice(0, cut), text.slice(cut)];
      assertEquals(await allHeads(pieces), await allHeads([text]), JSON.stringify(text));
    }
  });
});

/** Every head of a connection, and what ends it. */
async function allHeads(pieces: readonly string[]): Promise<string[]> {
  const reader = new HeadReader(
    source(...pieces.filter((piece) => piece !== "")),
    "HTTP_BAD_REQUEST",
  );
  const heads: string[] = [];
  try {
    for (let head = await reader.next(); head !== undefined; head = await reader.next()) {
      heads.push(String.fromCharCode(...head));
    }
  } catch (error) {
    heads.push(refusalOf(error)?.reason ?? String(error));
  }
  return heads;
}
