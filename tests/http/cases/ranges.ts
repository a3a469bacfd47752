// Ranges of RFC 9110, sections 14 and 15.3.7.
import { type Case, type ExpectedAnswer, get, headOf, type Slice } from "./case.ts";

const PLAIN = "/plain.bin";
const WHOLE: ExpectedAnswer = {
  status: 200,
  body: "whole",
  fields: { "content-range": null, "accept-ranges": "bytes", "content-length": "1000" },
};

/** One part of a file. */
function part(slice: Slice, size = 1000): ExpectedAnswer {
  const [start, end] = slice;
  return {
    status: 206,
    body: [slice],
    fields: {
      "content-range": `bytes ${start}-${end - 1}/${size}`,
      "content-length": `${end - start}`,
      "accept-ranges": "bytes",
      etag: "{etag}",
      "last-modified": "{date}",
    },
  };
}

/** Several parts. */
function parts(...slices: readonly Slice[]): ExpectedAnswer {
  return { status: 206, body: slices, fields: { "content-range": null, etag: "{etag}" } };
}

function outside(size = 1000): ExpectedAnswer {
  return { status: 416, fields: { "content-range": `bytes */${size}` }, closes: false };
}

/** Rows of one file and section, each a name, a Range and an answer. */
function rows(
  rfc: string,
  path: string,
  ...all: readonly (readonly [name: string, range: string, answer: ExpectedAnswer])[]
): Case[] {
  return all.map(([name, range, answer]) => ({
    name: `${name}: ${range.length > 40 ? `${range.slice(0, 40)}…` : range}`,
    rfc,
    request: get(path, `Range: ${range}`),
    answers: [answer],
  }));
}

const spread = (count: number): string =>
  Array.from({ length: count }, (_, i) => `${i * 1000}-${i * 1000}`).join(",");
const HUGE = "9".repeat(40);

/** Every row about ranges. */
export const RANGE_CASES: readonly Case[] = [
  ...rows(
    "RFC 9110, 14.1.2",
    PLAIN,
    ["first bytes", "bytes=0-499", part([0, 500])],
    ["second half", "bytes=500-999", part([500, 1000])],
    ["first byte", "bytes=0-0", part([0, 1])],
    ["last byte", "bytes=999-999", part([999, 1000])],
    ["all bytes by range", "bytes=0-999", part([0, 1000])],
    ["leading zeros", "bytes=0007-0008", part([7, 9])],
    ["open range", "bytes=500-", part([500, 1000])],
    ["open range from 0", "bytes=0-", part([0, 1000])],
    ["open range of the last byte", "bytes=999-", part([999, 1000])],
    ["suffix of one", "bytes=-1", part([999, 1000])],
    ["suffix", "bytes=-500", part([500, 1000])],
    ["suffix of everything", "bytes=-1000", part([0, 1000])],
    ["suffix longer than the file", "bytes=-1001", part([0, 1000])],
    ["suffix beyond numbers", `bytes=-${HUGE}`, part([0, 1000])],
    ["end past the file", "bytes=500-1000", part([500, 1000])],
    ["end beyond numbers", `bytes=1-${HUGE}`, part([1, 1000])],
    ["begins behind the end", "bytes=1000-", outside()],
    ["lies behind the end", "bytes=1000-1001", outside()],
    ["begins beyond numbers", `bytes=${HUGE}-`, outside()],
    ["suffix of nothing", "bytes=-0", outside()],
    ["no range in the file", "bytes=1000-1001, 2000-, -0", outside()],
  ),
  ...rows(
    "RFC 9110, 14.1.2",
    "/empty.bin",
    ["first byte of nothing", "bytes=0-0", outside(0)],
    ["open range of nothing", "bytes=0-", outside(0)],
    ["empty suffix of nothing", "bytes=-0", outside(0)],
    ["suffix of nothing", "bytes=-5", {
      status: 200,
      body: "whole",
      fields: { "content-range": null, "content-length": "0" },
    }],
  ),
  ...rows(
    "RFC 9110, 14.1.2",
    "/one.bin",
    ["the only byte", "bytes=0-0", part([0, 1], 1)],
    ["the only byte by suffix", "bytes=-1", part([0, 1], 1)],
    ["behind the only byte", "bytes=1-", outside(1)],
  ),
  ...rows(
    "RFC 9110, 14.1.1",
    PLAIN,
    ["inverted", "bytes=5-4", WHOLE],
    ["inverted behind the end", "bytes=2000-1999", WHOLE],
    ["inverted beyond numbers", `bytes=${HUGE}-${"9".repeat(39)}8`, WHOLE],
    ["one of several inverted", "bytes=0-1, 5-4", WHOLE],
    ["no positions", "bytes=-", WHOLE],
    ["one number", "bytes=1", WHOLE],
    ["letters", "bytes=a-b", WHOLE],
    ["two dashes", "bytes=--1", WHOLE],
    ["sign", "bytes=+1-2", WHOLE],
    ["space within", "bytes=1 - 2", WHOLE],
    ["hexadecimal", "bytes=0x1-2", WHOLE],
    ["fraction", "bytes=1.5-2", WHOLE],
    ["semicolon", "bytes=0-1;2-3", WHOLE],
    ["one of several malformed", "bytes=0-1, x", WHOLE],
  ),
  ...rows(
    "RFC 9110, 14.2",
    PLAIN,
    ["no ranges", "bytes=", WHOLE],
    ["only commas", "bytes=,,", WHOLE],
    ["no unit", "0-1", WHOLE],
    ["no equals sign", "bytes 0-1", WHOLE],
    ["another unit", "lines=0-1", WHOLE],
    ["more of a unit's name", "bytesx=0-1", WHOLE],
    ["space before the equals sign", "bytes =0-1", WHOLE],
  ),
  ...rows(
    "RFC 9110, 14.1",
    PLAIN,
    ["unit in capitals", "BYTES=0-1", part([0, 2])],
  ),
  ...rows(
    "RFC 9110, 5.6.1",
    PLAIN,
    ["empty elements", "bytes=,0-1,,", part([0, 2])],
    ["blanks around elements", "bytes=\t0-1 ,\t 500-501", parts([0, 2], [500, 502])],
  ),
  ...rows(
    "RFC 9110, 14.6",
    PLAIN,
    ["two parts", "bytes=0-0,-1", parts([0, 1], [999, 1000])],
    ["three parts", "bytes=0-9,200-209,400-409", parts([0, 10], [200, 210], [400, 410])],
    [
      "parts in the order of the request",
      "bytes=-10,400-409,0-9",
      parts([990, 1000], [400, 410], [0, 10]),
    ],
    [
      "parts outside are left out",
      "bytes=0-9,2000-2009,400-409",
      parts([0, 10], [400, 410]),
    ],
    ["one part is left", "bytes=0-9,2000-2009", part([0, 10])],
  ),
  ...rows(
    "RFC 9110, 14.6",
    "/text.txt",
    ["parts with their type", "bytes=0-9,4000-4009", parts([0, 10], [4000, 4010])],
  ),
  ...rows(
    "RFC 9110, 15.3.7.2",
    PLAIN,
    ["overlapping", "bytes=0-99,50-199", part([0, 200])],
    ["the same twice", "bytes=0-99,0-99", part([0, 100])],
    ["one within the other", "bytes=0-999,10-19", part([0, 1000])],
    ["adjacent", "bytes=0-99,100-199", part([0, 200])],
    ["adjacent, the wrong way round", "bytes=100-199,0-99", part([0, 200])],
    ["a gap shorter than a part's head", "bytes=0-99,180-199", part([0, 200])],
    ["a gap longer than a part's head", "bytes=0-99,181-199", parts([0, 100], [181, 200])],
    ["one that joins two", "bytes=0-99,300-399,100-299", part([0, 400])],
    [
      "joined in the place of the first",
      "bytes=500-599,0-9,590-699",
      parts([500, 700], [0, 10]),
    ],
    ["everything again and again", `bytes=${Array(30).fill("0-").join(",")}`, part([0, 1000])],
  ),
  ...rows(
    "RFC 9110, 17.15",
    "/large.bin",
    [
      "as many ranges as are allowed",
      `bytes=${spread(32)}`,
      parts(...Array.from({ length: 32 }, (_, i): Slice => [i * 1000, i * 1000 + 1])),
    ],
    ["more ranges than are allowed", `bytes=${spread(33)}`, {
      status: 200,
      body: "whole",
      fields: { "content-range": null },
    }],
    ["hundreds of ranges", `bytes=${spread(299)}`, { status: 200, body: "whole" }],
  ),
  {
    name: "a Range of HEAD does not count",
    rfc: "RFC 9110, 14.2",
    request: headOf(PLAIN, "Range: bytes=0-9"),
    answers: [{ status: 200, body: "none", fields: { ...WHOLE.fields } }],
  },
  {
    name: "two Range fields",
    rfc: "RFC 9110, 14.2",
    request: get(PLAIN, "Range: bytes=0-1", "Range: bytes=2-3"),
    answers: [{ status: 400, closes: true }],
  },
  {
    name: "ranges in HTTP/1.0 are ranges",
    rfc: "RFC 9110, 14.2",
    request: "GET /plain.bin HTTP/1.0\r\nRange: bytes=1-2\r\n\r\n",
    answers: [{ ...part([1, 3]), closes: true }],
  },
];
