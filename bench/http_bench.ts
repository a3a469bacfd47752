// What a request costs before its file is touched, in Deno, Bun and Node: finding the end of its head,
// reading it, planning the answer, writing that one's head; and llhttp in WebAssembly beside it.
//
//   deno run -A bench/http_bench.ts
//   bun bench/http_bench.ts
//   node bench/http_bench.ts
import {
  encodeHead,
  type FileDescription,
  findHeadEnd,
  formatHttpDate,
  parseRequestHead,
  planFileAnswer,
  readRequest,
  statusLine,
} from "../src/http/mod.ts";
import { Llhttp } from "../tests/http/llhttp.ts";
import { spreadOf } from "./support/statistics.ts";

const ROUNDS = 31;
const TIMES = 4000;
/** What reading a head of 400 bytes may cost. */
const GOAL_NS = 3000;

/** As a browser sends it, 405 bytes. */
const TYPICAL = [
  "GET /files/some%20folder/big.bin?version=12 HTTP/1.1",
  "Host: downloads.example.org:8080",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "Accept: */*",
  "Accept-Language: en-GB,en;q=0.5",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Referer: http://downloads.example.org:8080/",
  "Connection: keep-alive",
  "Range: bytes=0-1048575",
  'If-Range: "1a2b3c-18c9f0d2e40"',
  "Priority: u=0, i",
];
/** As a program sends it. */
const SHORT = ["GET /file.bin HTTP/1.1", "Host: 127.0.0.1:8080"];

const bytesOf = (lines: readonly string[]): Uint8Array =>
  new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);

const typical = bytesOf(TYPICAL);
const short = bytesOf(SHORT);
// One byte above ASCII, for which there is a slower way.
const foreign = typical.slice();
foreign[typical.indexOf(0x4d)] = 0xe4;
const broken = bytesOf([...TYPICAL, "Broken : field"]);
const request = parseRequestHead(typical);
const plain = parseRequestHead(short);
const modifiedMs = Date.UTC(2023, 10, 14, 22, 13, 20);
const file: FileDescription = {
  size: 5_000_000,
  entityTag: '"1a2b3c-18c9f0d2e40"',
  modifiedMs,
  contentType: "application/octet-stream",
};
const coded: FileDescription = { ...file, coded: [{ ...file, coding: "br" }] };
const fields = [["Connection", "keep-alive"], ...planFileAnswer(request, file).fields] as const;
const llhttp = new Llhttp();

const oracle = llhttp.read(typical);
if (JSON.stringify([...oracle.fields]) !== JSON.stringify([...request.fields])) {
  throw new Error("the parsers read different fields");
}

/** What is done, by what it is called; the first one has a goal. */
const SIDES: Readonly<Record<string, () => unknown>> = {
  [`parseRequestHead, ${typical.byteLength} bytes`]: () => parseRequestHead(typical),
  [`parseRequestHead, ${short.byteLength} bytes`]: () => parseRequestHead(short),
  "parseRequestHead, not all ASCII": () => parseRequestHead(foreign),
  "readRequest, refused": () => readRequest(broken),
  "llhttp (WebAssembly), the same head": () => llhttp.read(typical),
  "findHeadEnd, the same head": () => findHeadEnd(typical),
  "planFileAnswer, whole file": () => planFileAnswer(plain, file),
  "planFileAnswer, If-Range and Range": () => planFileAnswer(request, file),
  "planFileAnswer, a coding to choose": () => planFileAnswer(request, coded),
  "encodeHead of that answer": () => encodeHead(statusLine(206), fields),
  "formatHttpDate": () => formatHttpDate(modifiedMs),
};

function nsOf(side: () => unknown): number {
  const beginMs = performance.now();
  for (let times = 0; times < TIMES; times++) side();
  return (performance.now() - beginMs) * 1e6 / TIMES;
}

const names = Object.keys(SIDES);
const figures = names.map((): number[] => []);
for (let round = -5; round < ROUNDS; round++) {
  for (const [at, name] of names.entries()) {
    const ns = nsOf(SIDES[name]!);
    if (round >= 0) figures[at]!.push(ns); // The others were to warm up.
  }
}
console.log(`ns, median of ${ROUNDS} rounds of ${TIMES} times (lower and upper quartile), best`);
for (const [at, name] of names.entries()) {
  const { lower, median, upper } = spreadOf(figures[at]!);
  const range = `${median.toFixed(0)} (${lower.toFixed(0)}-${upper.toFixed(0)})`;
  console.log(`| ${name} | ${range} | ${Math.min(...figures[at]!).toFixed(0)} |`);
}
const { median } = spreadOf(figures[0]!);
console.log(`${names[0]}: ${median <= GOAL_NS ? "within" : "MORE THAN"} ${GOAL_NS} ns`);
