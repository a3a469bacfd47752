import { badHead, type BadHeadCode, shorten } from "./bad_head.ts";
import { fieldNameOf } from "./field_name.ts";
import { DEFAULT_MAX_FIELDS, type Fields } from "./head.ts";
import {
  COLON,
  CR,
  isBlank,
  LF,
  OCTETS,
  textOfOctets,
  TOKEN_OCTET,
  VALUE_OCTET,
} from "./octets.ts";

/** Fields that must not come twice, because two readers could believe different ones. */
const SINGLE = new Set([
  "host",
  "content-length",
  "content-range",
  "range",
  "if-range",
  "if-modified-since",
  "if-unmodified-since",
]);

/** Fields that say where messages and connections end: readers differ in what a tab does to them. */
const FRAMING = new Set(["connection", "content-length", "transfer-encoding"]);

/** A head cut into its lines. */
export interface SplitHead {
  /** The request line or the status line. */
  readonly startLine: string;
  /** The fields, by lower-case name. */
  readonly fields: Fields;
}

/**
 * The lines of a head: the start line and the fields.
 *
 * Refused (RFC 9112, sections 2.2, 5.1 and 5.2): bare CR or LF, folded lines, white space before a
 * colon, control characters, repeated fields that must be single, tabs in fields of the framing. One pass over the octets finds
 * where the lines and names end and what is wrong; only then are there strings.
 *
 * @throws {JackfieldError} With the given code.
 */
export function splitHead(
  head: Uint8Array,
  code: BadHeadCode,
  maxFields: number = DEFAULT_MAX_FIELDS,
): SplitHead {
  const end = head.byteLength - 2;
  if (end < 2 || head[end] !== CR || head[end + 1] !== LF) {
    throw badHead(code, "head does not end with an empty line");
  }
  // Where a name begins, where its colon stands, and where its line ends, for each field.
  const marks: number[] = [];
  let seen = 0; // All octets or-ed together, to know whether one is above ASCII.
  let at = 0;
  for (let octet = head[0]!; (OCTETS[octet]! & VALUE_OCTET) !== 0; octet = head[++at]!) {
    seen |= octet;
  }
  const startLineEnd = at;
  at = nextLine(head, at, code, "the first line");
  while (at < end) {
    const begin = at;
    while ((OCTETS[head[at]!]! & TOKEN_OCTET) !== 0) at++;
    if (at === begin || head[at] !== COLON) throw badField(head, begin, code);
    marks.push(begin, at++);
    for (let octet = head[at]!; (OCTETS[octet]! & VALUE_OCTET) !== 0; octet = head[++at]!) {
      seen |= octet;
    }
    marks.push(at);
    at = nextLine(head, at, code, "a field");
  }
  if (at !== end) throw badHead(code, "head does not end with an empty line");
  if (marks.length > maxFields * 3) throw badHead(code, `more than ${maxFields} fields`, 431);
  const text = textOfOctets(head, seen < 128);
  return { startLine: text.slice(0, startLineEnd), fields: fieldsOf(head, text, marks, code) };
}

/** Past the end of a line; what ends its text must be CR and LF, and both. */
function nextLine(head: Uint8Array, at: number, code: BadHeadCode, where: string): number {
  if (head[at] === CR && head[at + 1] === LF) return at + 2;
  const what = head[at] === CR
    ? "bare carriage return"
    : head[at] === LF
    ? "bare line feed"
    : "control character";
  throw badHead(code, `${what} in ${where}`);
}

function badField(head: Uint8Array, begin: number, code: BadHeadCode): Error {
  if (isBlank(head[begin])) {
    return badHead(code, "folded line, or a field that begins with a space");
  }
  const line = textOfOctets(head.subarray(begin, begin + 60), false).split("\r", 1)[0]!;
  return badHead(code, `malformed field line "${shorten(line)}"`);
}

function fieldsOf(
  head: Uint8Array,
  text: string,
  marks: readonly number[],
  code: BadHeadCode,
): Fields {
  const fields = new Map<string, string>();
  const hasTabs = text.includes("\t");
  for (let mark = 0; mark < marks.length; mark += 3) {
    const colon = marks[mark + 1]!;
    const name = fieldNameOf(head, text, marks[mark]!, colon);
    // By index: a pattern for trailing blanks is quadratic on a value full of them.
    let from = colon + 1;
    let to = marks[mark + 2]!;
    while (from < to && isBlank(head[from])) from++;
    while (to > from && isBlank(head[to - 1])) to--;
    const value = text.slice(from, to);
    if (hasTabs && FRAMING.has(name) && text.slice(colon, marks[mark + 2]).includes("\t")) {
      throw badHead(code, `tab in field "${name}"`);
    }
    const before = fields.get(name);
    if (before === undefined) fields.set(name, value);
    else if (SINGLE.has(name)) throw badHead(code, `field "${name}" comes twice`);
    else fields.set(name, `${before}, ${value}`);
  }
  return fields;
}
