import ipaddr from "ipaddr.js";

/**
 * The normal form of an IP literal (RFC 5952 for IPv6; four decimal numbers for IPv4).
 *
 * @throws {TypeError} When it is none.
 */
export function normalIp(text: string): string {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return text;
  if (ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text).toRFC5952String();
  throw new TypeError(`Cannot use address "${text}": expected an IPv4 or IPv6 literal`);
}
