// Answers as they come over the wire, read by hand: what is believed here about heads, lengths and
// parts owes nothing to src/http.

/** An answer, cut out of the bytes of a connection. */
export interface WireAnswer {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** A part of a multipart/byteranges body. */
export interface WirePart {
  readonly fields: ReadonlyMap<string, string>;
  readonly bytes: Uint8Array;
}

/** One character for each octet, and back. */
const textOf = (bytes: Uint8Array): string => {
  let text = "";
  for (const octet of bytes) text += String.fromCharCode(octet);
  return text;
};
const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

function fieldsOf(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(": ");
    if (colon < 1) throw new Error(`no field: ${JSON.stringify(line)}`);
    const name = line.slice(0, colon).toLowerCase();
    if (fields.has(name)) throw new Error(`field ${name} comes twice`);
    fields.set(name, line.slice(colon + 2));
  }
  return fields;
}

/** Cut answers apart; `methods` says what each was asked for: an answer to HEAD has no body. */
export function readAnswers(bytes: Uint8Array, methods: readonly string[]): WireAnswer[] {
  let rest = textOf(bytes);
  const answers: WireAnswer[] = [];
  while (rest !== "") {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) throw new Error(`no head: ${JSON.stringify(rest.slice(0, 80))}`);
    const [first = "", ...lines] = rest.slice(0, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) [A-Z][A-Za-z ]*$/.exec(first)?.[1]);
    if (!(status >= 200)) throw new Error(`no status: ${first}`);
    const fields = fieldsOf(lines);
    const silent = status === 304 || methods[answers.length] === "HEAD";
    const length = silent ? 0 : Number(fields.get("content-length"));
    const body = rest.slice(end + 4, end + 4 + length);
    if (body.length !== length) throw new Error(`body of ${body.length} bytes, not ${length}`);
    answers.push({ status, fields, body: bytesOf(body) });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

/** Cut the parts of a multipart body apart (RFC 2046, section 5.1.1): every octet must be accounted for. */
export function readParts(answer: WireAnswer): WirePart[] {
  const type = answer.fields.get("content-type") ?? "";
  const boundary = /^multipart\/byteranges; boundary=([0-9A-Za-z'_-]{1,70})$/.exec(type)?.[1];
  if (boundary === undefined) throw new Error(`no boundary: ${type}`);
  const [before, ...parts] = `\r\n${textOf(answer.body)}`.split(`\r\n--${boundary}`);
  if (before !== "") throw new Error("bytes before the first part");
  if (parts.pop() !== "--\r\n") throw new Error("no last delimiter");
  return parts.map((part) => {
    const end = part.indexOf("\r\n\r\n");
    const [first, ...lines] = part.slice(0, end).split("\r\n");
    if (first !== "") throw new Error("bytes behind a delimiter");
    return { fields: fieldsOf(lines), bytes: bytesOf(part.slice(end + 4)) };
  });
}
