// Conditional requests of RFC 9110, section 13.
import { type Case, type ExpectedAnswer, get, headOf } from "./case.ts";

const PLAIN = "/plain.bin";
const WHOLE: ExpectedAnswer = { status: 200, body: "whole", fields: { etag: "{etag}" } };
const UNCHANGED: ExpectedAnswer = {
  status: 304,
  body: "none",
  fields: { etag: "{etag}", "content-type": null, "content-range": null, "last-modified": null },
  closes: false,
};
const FAILED: ExpectedAnswer = { status: 412, fields: { "content-range": null }, closes: false };
const PART: ExpectedAnswer = {
  status: 206,
  body: [[0, 10]],
  fields: { "content-range": "bytes 0-9/1000", etag: "{etag}" },
};

/** Rows of one section: a name, fields by lines, and an answer. */
function rows(
  rfc: string,
  ...all: readonly (readonly [name: string, fields: string, answer: ExpectedAnswer])[]
): Case[] {
  return all.map(([name, fields, answer]) => ({
    name,
    rfc,
    request: get(PLAIN, ...fields.split("\n")),
    answers: [answer],
  }));
}

/** Every row about conditions. */
export const CONDITION_CASES: readonly Case[] = [
  ...rows(
    "RFC 9110, 13.1.1",
    ["If-Match: the tag", "If-Match: {etag}", WHOLE],
    ["If-Match: one of several tags", 'If-Match: "x", {etag} ,"y"', WHOLE],
    ["If-Match: in several fields", 'If-Match: "x"\nIf-Match: {etag}', WHOLE],
    ["If-Match: any", "If-Match: *", WHOLE],
    ["If-Match: another tag", 'If-Match: "x"', FAILED],
    ["If-Match: the tag made weak", "If-Match: W/{etag}", FAILED],
    ["If-Match: no tag", "If-Match: x", FAILED],
    ["If-Match: the tag and junk", "If-Match: {etag}, x", FAILED],
    ["If-Match: nothing", "If-Match:", FAILED],
    ["If-Match: the tag, and a Range", "If-Match: {etag}\nRange: bytes=0-9", PART],
    ["If-Match: another tag, and a Range", 'If-Match: "x"\nRange: bytes=0-9', FAILED],
  ),
  ...rows(
    "RFC 9110, 13.1.2",
    ["If-None-Match: the tag", "If-None-Match: {etag}", UNCHANGED],
    ["If-None-Match: the tag made weak", "If-None-Match: W/{etag}", UNCHANGED],
    ["If-None-Match: one of several tags", 'If-None-Match: "x", W/"a,b", {etag}', UNCHANGED],
    ["If-None-Match: in several fields", 'If-None-Match: "x"\nIf-None-Match: {etag}', UNCHANGED],
    ["If-None-Match: any", "If-None-Match: *", UNCHANGED],
    ["If-None-Match: another tag", 'If-None-Match: "x"', WHOLE],
    ["If-None-Match: weak in small letters is no tag", "If-None-Match: w/{etag}", WHOLE],
    ["If-None-Match: no tag", "If-None-Match: x", WHOLE],
    ["If-None-Match: tags without a comma", 'If-None-Match: {etag} "x"', WHOLE],
    ["If-None-Match: any among tags is junk", 'If-None-Match: "x", *', WHOLE],
    ["If-None-Match: an open quote", 'If-None-Match: {etag}, "x', WHOLE],
    ["If-None-Match: with a Range", "If-None-Match: {etag}\nRange: bytes=0-9", UNCHANGED],
    ["If-None-Match: another, with a Range", 'If-None-Match: "x"\nRange: bytes=0-9', PART],
    ["If-None-Match: with a Range outside", "If-None-Match: {etag}\nRange: bytes=5000-", UNCHANGED],
  ),
  ...rows(
    "RFC 9110, 13.1.3",
    ["If-Modified-Since: the date", "If-Modified-Since: {date}", UNCHANGED],
    ["If-Modified-Since: a second later", "If-Modified-Since: {date+1}", UNCHANGED],
    ["If-Modified-Since: a second earlier", "If-Modified-Since: {date-1}", WHOLE],
    ["If-Modified-Since: in RFC 850's format", "If-Modified-Since: {rfc850}", UNCHANGED],
    ["If-Modified-Since: in asctime's format", "If-Modified-Since: {asctime}", UNCHANGED],
    ["If-Modified-Since: no date", "If-Modified-Since: yesterday", WHOLE],
    ["If-Modified-Since: a number", "If-Modified-Since: 1700000000", WHOLE],
    ["If-Modified-Since: another zone", "If-Modified-Since: Wed, 14 Nov 2029 22:13:20 EST", WHOLE],
    ["If-Modified-Since: no such day", "If-Modified-Since: Fri, 30 Feb 2029 22:13:20 GMT", WHOLE],
    ["If-Modified-Since: no such hour", "If-Modified-Since: Wed, 14 Nov 2029 24:13:20 GMT", WHOLE],
    [
      "If-Modified-Since: does not count beside If-None-Match",
      'If-None-Match: "x"\nIf-Modified-Since: {date}',
      WHOLE,
    ],
    [
      "If-Modified-Since: does not undo If-None-Match",
      "If-None-Match: {etag}\nIf-Modified-Since: {date-1}",
      UNCHANGED,
    ],
    ["If-Modified-Since: twice", "If-Modified-Since: {date}\nIf-Modified-Since: {date-1}", {
      status: 400,
      closes: true,
    }],
  ),
  ...rows(
    "RFC 9110, 13.1.4",
    ["If-Unmodified-Since: the date", "If-Unmodified-Since: {date}", WHOLE],
    ["If-Unmodified-Since: a second later", "If-Unmodified-Since: {date+1}", WHOLE],
    ["If-Unmodified-Since: a second earlier", "If-Unmodified-Since: {date-1}", FAILED],
    ["If-Unmodified-Since: no date", "If-Unmodified-Since: yesterday", WHOLE],
    [
      "If-Unmodified-Since: does not count beside If-Match",
      "If-Match: {etag}\nIf-Unmodified-Since: {date-1}",
      WHOLE,
    ],
    [
      "If-Unmodified-Since: does not undo If-Match",
      'If-Match: "x"\nIf-Unmodified-Since: {date+1}',
      FAILED,
    ],
    [
      "If-Unmodified-Since: with a Range",
      "If-Unmodified-Since: {date-1}\nRange: bytes=0-9",
      FAILED,
    ],
  ),
  ...rows(
    "RFC 9110, 13.1.5",
    ["If-Range: the tag", "If-Range: {etag}\nRange: bytes=0-9", PART],
    ["If-Range: another tag", 'If-Range: "x"\nRange: bytes=0-9', WHOLE],
    ["If-Range: the tag made weak", "If-Range: W/{etag}\nRange: bytes=0-9", WHOLE],
    ["If-Range: the date", "If-Range: {date}\nRange: bytes=0-9", PART],
    ["If-Range: the date in RFC 850's format", "If-Range: {rfc850}\nRange: bytes=0-9", PART],
    ["If-Range: a later date", "If-Range: {date+1}\nRange: bytes=0-9", WHOLE],
    ["If-Range: an earlier date", "If-Range: {date-1}\nRange: bytes=0-9", WHOLE],
    ["If-Range: neither tag nor date", "If-Range: x\nRange: bytes=0-9", WHOLE],
    ["If-Range: several tags", 'If-Range: {etag}, "x"\nRange: bytes=0-9', WHOLE],
    ["If-Range: any", "If-Range: *\nRange: bytes=0-9", WHOLE],
    ["If-Range: without a Range", "If-Range: {etag}", WHOLE],
    ["If-Range: another tag, and a Range outside", 'If-Range: "x"\nRange: bytes=5000-', WHOLE],
    ["If-Range: the tag, and a Range outside", "If-Range: {etag}\nRange: bytes=5000-", {
      status: 416,
      fields: { "content-range": "bytes */1000" },
    }],
    ["If-Range: twice", 'If-Range: {etag}\nIf-Range: "x"\nRange: bytes=0-9', {
      status: 400,
      closes: true,
    }],
  ),
  ...rows(
    "RFC 9110, 13.2.2",
    ["both hold", 'If-Match: {etag}\nIf-None-Match: "x"', WHOLE],
    ["If-Match holds, then If-None-Match counts", "If-Match: {etag}\nIf-None-Match: *", UNCHANGED],
    ["If-Match fails first", 'If-Match: "x"\nIf-None-Match: {etag}', FAILED],
    [
      "If-Unmodified-Since holds, then If-Modified-Since counts",
      "If-Unmodified-Since: {date}\nIf-Modified-Since: {date}",
      UNCHANGED,
    ],
    [
      "If-Unmodified-Since fails first",
      "If-Unmodified-Since: {date-1}\nIf-None-Match: {etag}",
      FAILED,
    ],
    [
      "If-None-Match before If-Range",
      "If-None-Match: {etag}\nIf-Range: {etag}\nRange: bytes=0-9",
      UNCHANGED,
    ],
    [
      "all of them hold",
      'If-Match: {etag}\nIf-None-Match: "x"\nIf-Range: {etag}\nRange: bytes=0-9',
      PART,
    ],
  ),
  {
    name: "HEAD is answered 304 too",
    rfc: "RFC 9110, 13.1.2",
    request: headOf(PLAIN, "If-None-Match: {etag}"),
    answers: [UNCHANGED],
  },
  {
    name: "HEAD is answered 412 too",
    rfc: "RFC 9110, 13.1.1",
    request: headOf(PLAIN, 'If-Match: "x"'),
    answers: [{ status: 412, body: "none" }],
  },
  {
    name: "fractions of a second do not make a file newer than its date",
    rfc: "RFC 9110, 13.1.3",
    request: get("/large.bin", "If-Modified-Since: {date}"),
    answers: [{ status: 304, body: "none" }],
  },
  {
    name: "fractions of a second do not spoil If-Range",
    rfc: "RFC 9110, 13.1.5",
    request: get("/large.bin", "If-Range: {date}", "Range: bytes=5-5"),
    answers: [{ status: 206, body: [[5, 6]] }],
  },
  {
    name: "a young file's weak tag is good for If-None-Match",
    rfc: "RFC 9110, 8.8.1",
    request: get("/young.bin", "If-None-Match: {etag}"),
    answers: [{ status: 304, body: "none", fields: { etag: "{etag}" } }],
  },
  {
    name: "a young file's weak tag is not good for If-Match",
    rfc: "RFC 9110, 8.8.1",
    request: get("/young.bin", "If-Match: {etag}"),
    answers: [{ status: 412 }],
  },
  {
    name: "a young file's weak tag is not good for If-Range",
    rfc: "RFC 9110, 13.1.5",
    request: get("/young.bin", "If-Range: {etag}", "Range: bytes=0-9"),
    answers: [{ status: 200, body: "whole", fields: { "content-range": null } }],
  },
  {
    name: "a young file's date is not good for If-Range",
    rfc: "RFC 9110, 8.8.2.2",
    request: get("/young.bin", "If-Range: {date}", "Range: bytes=0-9"),
    answers: [{ status: 200, body: "whole", fields: { "content-range": null } }],
  },
  {
    name: "a young file's ranges are served all the same",
    rfc: "RFC 9110, 14.2",
    request: get("/young.bin", "Range: bytes=0-9"),
    answers: [{ status: 206, body: [[0, 10]] }],
  },
];
