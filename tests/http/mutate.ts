// Heads for the fuzzing: good ones, made worse in ways that have broken parsers before.
import type { Dice } from "../support/seeds.ts";

const GOOD: readonly string[] = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /a/b.bin?c=d HTTP/1.1\r\nHost: a.example:8080\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
  "HEAD /file HTTP/1.0\r\n\r\n",
  "HEAD /file HTTP/1.0\r\nConnection: keep-alive\r\nX: 1\r\n\r\n",
  'GET /file HTTP/1.1\r\nHost: [::1]\r\nRange: bytes=0-499\r\nIf-Range: "a"\r\n\r\n',
  "GET http://a.example/file HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
  'GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0.5, br\r\nIf-None-Match: W/"x"\r\n\r\n',
  "OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
  "POST /file HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "PUT /file HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
];
const FIELDS: readonly string[] = [
  "Host: b",
  "Content-Length: 0",
  "Content-Length: 5",
  "Content-Length: 5, 5",
  "Content-Length: +5",
  "Content-Length: 18446744073709551616",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, gzip",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding: \x0bchunked",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: keep-alive, close",
  "Connection: close x",
  "Connection: ,close",
  "Connection: clos\x80e",
  "Range: bytes=0-1",
  "Expect: 100-continue",
  " folded",
  "\tfolded",
  "",
  ":",
  "X",
  "X:",
  "X:\t \t",
  "X: \xff\x80\xa0",
  "\x00: 1",
];
const OCTETS: readonly string[] = [
  ...'\r\n\t :,;\0\x01\x0b\x0c\x1f\x7f\x80\x85\xa0\xff"#<>*/?%=[]@GHPa019.',
];
const PIECES: readonly string[] = [
  "\r\n",
  "\n",
  "\r",
  "\r\n\r\n",
  "\n\n",
  "\r\r\n",
  "\r\n ",
  " \r\n",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/1.2",
  "HTTP/2.0",
  "HTTP/0.9",
  "GET ",
  "http://",
  "  ",
];

/** A head with one to four faults, or with none. */
export function mutatedHead(dice: Dice): string {
  let text = dice.oneOf(GOOD);
  for (let faults = dice.below(5); faults > 0; faults--) text = withFault(text, dice);
  return text;
}

function withFault(text: string, dice: Dice): string {
  const at = dice.below(text.length + 1);
  switch (dice.below(9)) {
    case 0: // another octet
      return text.slice(0, at) + dice.oneOf(OCTETS) + text.slice(at + 1);
    case 1: // any octet at all
      return text.slice(0, at) + String.fromCharCode(dice.below(256)) + text.slice(at + 1);
    case 2: // one more octet
      return text.slice(0, at) + dice.oneOf(OCTETS) + text.slice(at);
    case 3: // one octet less
      return text.slice(0, at) + text.slice(at + 1);
    case 4:
      return text.slice(0, at) + dice.oneOf(PIECES) + text.slice(at);
    case 5: // a field more, in any place
      return withLine(text, dice, (lines, line) => lines.splice(line, 0, dice.oneOf(FIELDS)));
    case 6: // a line twice
      return withLine(text, dice, (lines, line) => lines.splice(line, 0, lines[line]!));
    case 7: // a line less
      return withLine(text, dice, (lines, line) => lines.splice(line, 1));
    default: // what follows is another request
      return text + dice.oneOf(GOOD);
  }
}

function withLine(
  text: string,
  dice: Dice,
  change: (lines: string[], line: number) => void,
): string {
  const lines = text.split("\r\n");
  change(lines, dice.below(lines.length));
  return lines.join("\r\n");
}
