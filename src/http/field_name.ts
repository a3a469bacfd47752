/** Names that come in most heads. Any other name is as good; it only takes longer. */
const COMMON: readonly string[] = [
  "accept",
  "accept-encoding",
  "accept-language",
  "accept-ranges",
  "age",
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "date",
  "etag",
  "expect",
  "expires",
  "forwarded",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "keep-alive",
  "last-modified",
  "origin",
  "pragma",
  "priority",
  "range",
  "referer",
  "repr-digest",
  "sec-fetch-dest",
  "sec-fetch-mode",
  "sec-fetch-site",
  "sec-fetch-user",
  "server",
  "te",
  "transfer-encoding",
  "upgrade",
  "upgrade-insecure-requests",
  "user-agent",
  "vary",
  "via",
  "want-repr-digest",
  "x-content-type-options",
  "x-forwarded-for",
  "x-forwarded-proto",
];

const SLOTS = 1024;
/** Of two names that meet in one slot the last one stays: the other takes the longer way. */
const TABLE: (string | undefined)[] = Array.from({ length: SLOTS });
for (const name of COMMON) {
  TABLE[slotOf(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1))] = name;
}

function slotOf(length: number, first: number, last: number): number {
  return (length * 33 + first * 7 + last) % SLOTS;
}

/**
 * A field's name in lower case, from its octets or from the same part of the head's text.
 *
 * A name that is one string for all heads is hashed once; a new one for each costs more than all the
 * rest of reading a head, most of all in Bun.
 */
export function fieldNameOf(head: Uint8Array, text: string, from: number, to: number): string {
  const length = to - from;
  // In ASCII a letter becomes a small one by this bit; nothing else of a token becomes a letter.
  const known = TABLE[slotOf(length, head[from]! | 32, head[to - 1]! | 32)];
  if (known !== undefined && known.length === length) {
    let at = 0;
    while (at < length && (head[from + at]! | 32) === known.charCodeAt(at)) at++;
    if (at === length) return known;
  }
  return text.slice(from, to).toLowerCase();
}
