// What the table cannot show: options, and files of which little is known.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type FileAnswerOptions,
  type FileDescription,
  parseRequestHead,
  planFileAnswer,
} from "../../src/core.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";
import { head } from "./tools.ts";

function plan(file: FileDescription, fields: string[] = [], options: FileAnswerOptions = {}) {
  return planFileAnswer(
    parseRequestHead(head("GET / HTTP/1.1", "Host: a", ...fields)),
    file,
    options,
  );
}

const MS = Date.UTC(2023, 10, 14, 22, 13, 20);

test("planFileAnswer() of a file of which only the size is known", () => {
  const answer = plan({ size: 10 });
  assertEquals([answer.status, answer.coding, answer.bodyBytes], [200, "identity", 10]);
  assertEquals(answer.fields, [["Content-Length", 10], ["Accept-Ranges", "bytes"]]);
  assertEquals(
    [...answer.parts()].map(({ head, offset, length }) => [head.byteLength, offset, length]),
    [
      [0, 0, 10],
    ],
  );
  assertEquals([...plan({ size: 0 }).parts()], []);
});

test("planFileAnswer() sends what a file's description has, once each", () => {
  const answer = plan({
    size: 10,
    entityTag: '"a"',
    modifiedMs: MS,
    contentType: "text/plain",
    cacheControl: "max-age=60",
    fields: [["Content-Disposition", "inline"]],
    digests: new Map([["sha-256", new Uint8Array(32)]]),
    coded: [{ coding: "br", size: 5, entityTag: '"b"' }],
  }, ["Range: bytes=1-1"]);
  assertEquals(answer.fields, [
    ["Content-Type", "text/plain"],
    ["Content-Range", "bytes 1-1/10"],
    ["Content-Length", 1],
    ["Accept-Ranges", "bytes"],
    ["ETag", '"a"'],
    ["Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT"],
    ["Vary", "Accept-Encoding"],
    ["Cache-Control", "max-age=60"],
    ["Repr-Digest", `sha-256=:${"A".repeat(43)}=:`],
    ["Content-Disposition", "inline"],
  ]);
});

test("planFileAnswer() repeats in 304 what caches need, and no more (RFC 9110, 15.4.5)", () => {
  const file = { size: 10, modifiedMs: MS, contentType: "text/plain", cacheControl: "no-cache" };
  const date = "Tue, 14 Nov 2023 22:13:20 GMT";
  const fields = ["If-None-Match: *"];
  assertEquals(plan({ ...file, entityTag: '"a"' }, fields).fields, [
    ["ETag", '"a"'],
    ["Cache-Control", "no-cache"],
  ]);
  assertEquals(plan(file, fields).fields, [["Last-Modified", date], ["Cache-Control", "no-cache"]]);
});

test("planFileAnswer() takes limits of ranges and a boundary as options", () => {
  const fields = ["Range: bytes=0-0,9-9"];
  const boundary = () => "B";
  const apart = plan({ size: 10 }, fields, { maxGapBytes: 0, boundary });
  assertEquals(apart.fields[0], ["Content-Type", "multipart/byteranges; boundary=B"]);
  assertEquals(plan({ size: 10 }, fields, { maxRanges: 1 }).status, 200);
  assertEquals(plan({ size: 10 }, fields).bodyBytes, 10); // Nearly touching: one range.
});

test("planFileAnswer() uses a new boundary for each answer", () => {
  const fields = ["Range: bytes=0-0,999-999"];
  const [one, other] = [plan({ size: 1000 }, fields), plan({ size: 1000 }, fields)];
  assert(one!.fields[0]![1] !== other!.fields[0]![1]);
});

test("planFileAnswer() never sends much more than the file, whatever is asked for (RFC 9110, 17.15)", async () => {
  await withSeeds([1, 2], (dice) => {
    for (let count = 0; count < 300; count++) {
      const size = 1 + dice.below(20_000);
      const ranges = Array.from({ length: 1 + dice.below(32) }, () => {
        const start = dice.below(size);
        return `${start}-${start + dice.below(200)}`;
      });
      const answer = plan({ size, contentType: "text/plain" }, [`Range: bytes=${ranges}`]);
      assertEquals(answer.status, 206);
      assert(answer.bodyBytes <= size + 32 * 60 + 100, `${answer.bodyBytes} bytes of ${size}`);
      let sum = 0;
      for (const { head, length } of answer.parts()) sum += head.byteLength + length;
      assertEquals(sum, answer.bodyBytes);
    }
  });
});

test("planFileAnswer() chooses the digest that is wanted among those that are known (RFC 9530, 4)", () => {
  const digests = new Map([["sha-512", new Uint8Array(64)]] as const);
  const digest = (want: string) =>
    plan({ size: 1, digests }, [`Want-Repr-Digest: ${want}`])
      .fields.find(([name]) => name === "Repr-Digest")?.[1];
  assert(String(digest("sha-256=10, sha-512=1")).startsWith("sha-512="));
  assertEquals(digest("sha-256=10"), undefined);
  // A field that is not well-formed is as good as none.
  assert(String(digest("sha-256=99")).startsWith("sha-512="));
});

test("planFileAnswer() refuses a Content-Type that would end its line", () => {
  const file = { size: 1000, contentType: "a\r\nb" };
  assertThrows(() => plan(file, ["Range: bytes=0-0,900-"]), TypeError, "Cannot write head");
});
