// Dictionaries of structured fields (RFC 9651, section 4.2.2), as far as digest fields need them:
// byte sequences and integers, with or without parameters. Everything else a member could hold makes
// the field fail, as a wrong octet does: a strict reader takes all of a field or nothing.

/** What a member may hold here: an integer, or bytes. */
export type DictionaryValue = number | Uint8Array<ArrayBuffer>;

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const INTEGER = /-?\d{1,15}(?![\d.])/y;
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y;
/** The values that a parameter may have besides: decimal, string, token, boolean, date, display string. */
const OTHER_VALUES: readonly RegExp[] = [
  /-?\d{1,12}\.\d{1,3}(?![\d.])/y,
  /"(?:[ !#-[\]-~]|\\["\\])*"/y,
  /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y,
  /\?[01]/y,
  /@-?\d{1,15}(?![\d.])/y,
  /%"(?:[ !#-$&-~]|%[0-9a-f]{2})*"/y,
];

/**
 * Read a dictionary of byte sequences and integers; `undefined` when the field is not well-formed or
 * holds anything else. Of members with the same key the last one counts; parameters are left out.
 */
export function parseDictionary(text: string): Map<string, DictionaryValue> | undefined {
  const scan = new Scan(text);
  const members = new Map<string, DictionaryValue>();
  scan.skip(" ");
  if (scan.done) return members;
  for (;;) {
    const key = scan.match(KEY);
    if (key === undefined || !scan.take("=")) return undefined;
    const value = scanValue(scan);
    if (value === undefined || !skipParameters(scan)) return undefined;
    members.set(key, value);
    scan.skip(" \t");
    if (scan.done) return members;
    if (!scan.take(",")) return undefined;
    scan.skip(" \t");
  }
}

function scanValue(scan: Scan): DictionaryValue | undefined {
  const integer = scan.match(INTEGER);
  if (integer !== undefined) return Number(integer);
  const encoded = scan.match(BYTES);
  return encoded === undefined ? undefined : decodeBase64(encoded.slice(1, -1));
}

function skipParameters(scan: Scan): boolean {
  while (scan.take(";")) {
    scan.skip(" ");
    if (scan.match(KEY) === undefined) return false;
    if (!scan.take("=")) continue;
    if (scanValue(scan) !== undefined) continue;
    if (!OTHER_VALUES.some((pattern) => scan.match(pattern) !== undefined)) return false;
  }
  return true;
}

/** Missing padding is forgiven, as section 4.2.7 asks. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** A text and how far it has been read. */
class Scan {
  #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at === this.#text.length;
  }

  /** What a sticky pattern finds here; the place moves behind it. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  skip(characters: string): void {
    while (!this.done && characters.includes(this.#text[this.#at]!)) this.#at++;
  }
}
