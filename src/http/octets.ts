/** Carriage return. */
export const CR = 13;
/** Line feed. */
export const LF = 10;
/** The octet between a field's name and its value. */
export const COLON = 58;

/** Octets of a token, such as a method or a field's name (RFC 9110, section 5.6.2). */
export const TOKEN_OCTET = 1;
/** Octets of a field's value: no control character but the tab (RFC 9110, section 5.5). */
export const VALUE_OCTET = 2;

/** A token (RFC 9110, section 5.6.2). */
export const TOKEN: RegExp = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** A field value without control characters (RFC 9110, section 5.5). */
export const VALUE: RegExp = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What each octet may be part of, as bits: one look-up for an octet instead of comparisons. */
export const OCTETS: Readonly<Uint8Array> = octetClasses();

function octetClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let octet = 0; octet < 256; octet++) {
    const character = String.fromCharCode(octet);
    if (TOKEN.test(character)) classes[octet]! |= TOKEN_OCTET;
    if (VALUE.test(character)) classes[octet]! |= VALUE_OCTET;
  }
  return classes;
}

/** Whether a space or a tab: the white space that HTTP knows within a line. */
export function isBlank(octet: number | undefined): boolean {
  return octet === 32 || octet === 9;
}

const decoder = new TextDecoder();

/** One character for each of these octets; `ascii` says that none is above 127. */
export function textOfOctets(octets: Uint8Array, ascii: boolean): string {
  if (ascii) return decoder.decode(octets);
  // TextDecoder's "latin1" is another encoding (windows-1252).
  let text = "";
  for (let at = 0; at < octets.byteLength; at += 4096) {
    const part = octets.subarray(at, at + 4096);
    // Spreading is ten times slower than handing over the array as it is.
    text += String.fromCharCode.apply(undefined, part as unknown as number[]);
  }
  return text;
}
