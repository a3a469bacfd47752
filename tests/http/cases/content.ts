// Codings of RFC 9110, section 12.5.3, and digests of RFC 9530.
import { type Case, type ExpectedAnswer, get, headOf } from "./case.ts";

const TEXT = "/text.txt";
const AS_IT_IS: ExpectedAnswer = {
  status: 200,
  body: "whole",
  fields: { "content-encoding": null, vary: "Accept-Encoding", "content-length": "5000" },
};
const BR: ExpectedAnswer = {
  status: 200,
  body: "whole",
  coding: "br",
  fields: {
    "content-encoding": "br",
    vary: "Accept-Encoding",
    "content-length": "900",
    "content-type": "text/plain; charset=utf-8",
    etag: "{etag:br}",
  },
};
const GZIP: ExpectedAnswer = {
  ...BR,
  coding: "gzip",
  fields: {
    ...BR.fields,
    "content-encoding": "gzip",
    "content-length": "1100",
    etag: "{etag:gzip}",
  },
};
const REFUSED: ExpectedAnswer = {
  status: 406,
  fields: { vary: "Accept-Encoding" },
  closes: false,
};

function rows(
  ...all: readonly (readonly [field: string, answer: ExpectedAnswer])[]
): Case[] {
  return all.map(([field, answer]) => ({
    name: `Accept-Encoding: ${field}`,
    rfc: "RFC 9110, 12.5.3",
    request: get(TEXT, `Accept-Encoding: ${field}`),
    answers: [answer],
  }));
}

const digest = (want: string | undefined, answer: string | null): Case => ({
  name: `Want-Repr-Digest: ${want ?? "none"}`,
  rfc: "RFC 9530, 4",
  request: get("/plain.bin", ...(want === undefined ? [] : [`Want-Repr-Digest: ${want}`])),
  answers: [{ status: 200, body: "whole", fields: { "repr-digest": answer } }],
});

/** Every row about what is sent: which coding, which digest. */
export const CONTENT_CASES: readonly Case[] = [
  ...rows(
    ["gzip, br", BR],
    ["br, gzip", BR],
    ["gzip", GZIP],
    ["GZIP", GZIP],
    ["x-gzip", GZIP],
    ["gzip;q=0.9", GZIP],
    ["gzip;q=1.0, br;q=0.9", GZIP],
    ["gzip ; q=0.5 , br\t;\tq=0.4", GZIP],
    ["gzip;Q=0.5, br;Q=0.4", GZIP],
    ["br;q=0.001", BR],
    ["br;q=0, gzip;q=0", AS_IT_IS],
    ["br;q=0.000, gzip", GZIP],
    ["deflate, zstd", AS_IT_IS],
    ["identity", AS_IT_IS],
    ["gzip;q=0.5, identity", AS_IT_IS],
    ["gzip;q=0.5, identity;q=0.4", GZIP],
    ["", AS_IT_IS],
    ["*", BR],
    ["*;q=0.5, br;q=0", GZIP],
    ["gzip;q=0.5, *;q=0.4", GZIP],
    ["gzip, *;q=0", GZIP],
    ["identity;q=1, *;q=0", AS_IT_IS],
    ["identity;q=0", REFUSED],
    ["*;q=0", REFUSED],
    ["identity;q=0, gzip", GZIP],
    ["deflate, *;q=0", REFUSED],
    ["gzip;q=1.5", AS_IT_IS],
    ["gzip;q=0.1234", AS_IT_IS],
    ["gzip;q=", AS_IT_IS],
    ["gzip;level=9", AS_IT_IS],
    ["gzip, gzip;q=0", AS_IT_IS],
    ["gzip;q=0, gzip", AS_IT_IS],
  ),
  {
    name: "no Accept-Encoding: the file as it is",
    rfc: "RFC 9110, 12.5.3",
    request: get(TEXT),
    answers: [AS_IT_IS],
  },
  {
    name: "Accept-Encoding in two fields",
    rfc: "RFC 9110, 5.3",
    request: get(TEXT, "Accept-Encoding: gzip", "Accept-Encoding: br;q=0.5"),
    answers: [GZIP],
  },
  {
    name: "nothing to choose from: no Vary",
    rfc: "RFC 9110, 12.5.5",
    request: get("/plain.bin", "Accept-Encoding: gzip, br"),
    answers: [{ status: 200, body: "whole", fields: { vary: null, "content-encoding": null } }],
  },
  {
    name: "nothing to choose from, and that refused",
    rfc: "RFC 9110, 12.5.3",
    request: get("/plain.bin", "Accept-Encoding: identity;q=0"),
    answers: [{ status: 406 }],
  },
  {
    name: "HEAD of a coded file",
    rfc: "RFC 9110, 9.3.2",
    request: headOf(TEXT, "Accept-Encoding: br"),
    answers: [{ ...BR, body: "none" }],
  },
  {
    name: "ranges are of the coded bytes",
    rfc: "RFC 9110, 14.2",
    request: get(TEXT, "Accept-Encoding: gzip", "Range: bytes=1000-"),
    answers: [{
      status: 206,
      coding: "gzip",
      body: [[1000, 1100]],
      fields: { "content-range": "bytes 1000-1099/1100", "content-encoding": "gzip" },
    }],
  },
  {
    name: "several ranges of the coded bytes",
    rfc: "RFC 9110, 14.6",
    request: get(TEXT, "Accept-Encoding: br", "Range: bytes=0-9,-10"),
    answers: [{
      status: 206,
      coding: "br",
      body: [[0, 10], [890, 900]],
      fields: { "content-encoding": "br" },
    }],
  },
  {
    name: "each coding has its own tag",
    rfc: "RFC 9110, 8.8.3.3",
    request: get(TEXT, "Accept-Encoding: br", "If-None-Match: {etag}, {etag:gzip}"),
    answers: [BR],
  },
  {
    name: "304 for the coding's own tag",
    rfc: "RFC 9110, 15.4.5",
    request: get(TEXT, "Accept-Encoding: br", "If-None-Match: {etag:br}"),
    answers: [{
      status: 304,
      body: "none",
      fields: { etag: "{etag:br}", vary: "Accept-Encoding", "content-encoding": null },
    }],
  },
  {
    name: "If-Range with the tag of another coding",
    rfc: "RFC 9110, 13.1.5",
    request: get(TEXT, "Accept-Encoding: br", "If-Range: {etag}", "Range: bytes=0-9"),
    answers: [BR],
  },
  digest(undefined, "sha-256=:{sha-256}:, sha-512=:{sha-512}:"),
  digest("sha-256=10", "sha-256=:{sha-256}:"),
  digest("sha-512=3, sha-256=10, unixsum=0", "sha-256=:{sha-256}:"),
  digest("sha-256=3, sha-512=10", "sha-512=:{sha-512}:"),
  digest("sha-256=5, sha-512=5", "sha-256=:{sha-256}:"),
  digest("sha-256=1, sha-256=0, sha-512=1", "sha-512=:{sha-512}:"),
  digest("md5=10", null),
  digest("sha-256=0", null),
  digest("sha-256=10;x=1", "sha-256=:{sha-256}:"),
  digest("", null),
  {
    name: "a part's Repr-Digest is the whole file's",
    rfc: "RFC 9530, 3.1",
    request: get("/plain.bin", "Range: bytes=0-9", "Want-Repr-Digest: sha-256=1"),
    answers: [{ status: 206, body: [[0, 10]], fields: { "repr-digest": "sha-256=:{sha-256}:" } }],
  },
  {
    name: "HEAD brings the digest",
    rfc: "RFC 9530, 3",
    request: headOf("/plain.bin", "Want-Repr-Digest: sha-256=1"),
    answers: [{ status: 200, body: "none", fields: { "repr-digest": "sha-256=:{sha-256}:" } }],
  },
  {
    name: "a coded file's digest is of the coded bytes",
    rfc: "RFC 9530, 3",
    request: get(TEXT, "Accept-Encoding: gzip", "Want-Repr-Digest: sha-256=1"),
    answers: [{
      ...GZIP,
      fields: { ...GZIP.fields, "repr-digest": "sha-256=:{sha-256:gzip}:" },
    }],
  },
];
