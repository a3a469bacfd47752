import type { RequestHead } from "../http/mod.ts";

/** How many texts of each kind are known. */
const MAX_KNOWN = 1024;
/** `GET `, and what stands between a target and the fields. */
const BEFORE_TARGET = [71, 69, 84, 32] as const;
const BEHIND_TARGET = [32, 72, 84, 84, 80, 47, 49, 46, 49, 13, 10] as const;
const SPACE = 32;
/** Fields that make the answer another one than the whole file. */
const NOT_PLAIN: readonly string[] = [
  "range",
  "if-range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "want-repr-digest",
];

/**
 * Knows requests again without reading them: those that have asked, on a connection that goes on, for
 * a whole file and nothing else.
 *
 * A client sends the same fields again and again, octet for octet, and what was found about them once
 * holds each time. So a head is known when its target and its fields are, whoever has sent them.
 */
export class ShortRequests {
  #targets = new Known();
  #fields = new Known();

  /** Remember a request that was read from a head. */
  learn(head: Uint8Array, request: RequestHead): void {
    const { method, target, minorVersion, keepAlive, hasBody, fields } = request;
    if (method !== "GET" || minorVersion !== 1 || !keepAlive || hasBody) return;
    if (NOT_PLAIN.some((name) => fields.has(name))) return;
    // Who refuses the file as it is, by its name or by `*`, gets another answer (406).
    if (/identity|\*/i.test(fields.get("accept-encoding") ?? "")) return;
    const end = targetEnd(head);
    // An absolute target names the host as well, and the request has only its path.
    if (end < 0 || end - BEFORE_TARGET.length !== target.length) return;
    this.#targets.add(head.slice(BEFORE_TARGET.length, end), target);
    this.#fields.add(head.slice(end + BEHIND_TARGET.length), "");
  }

  /** The target of what was read, if it is one such request, whole and alone. */
  targetOf(bytes: Uint8Array): string | undefined {
    const end = targetEnd(bytes);
    if (end < 0) return undefined;
    const fields = end + BEHIND_TARGET.length;
    if (this.#fields.find(bytes, fields, bytes.byteLength) === undefined) return undefined;
    return this.#targets.find(bytes, BEFORE_TARGET.length, end);
  }
}

/** Where the target of a plain request line ends; -1 when it is none. */
function targetEnd(bytes: Uint8Array): number {
  for (let at = 0; at < BEFORE_TARGET.length; at++) {
    if (bytes[at] !== BEFORE_TARGET[at]) return -1;
  }
  let end = BEFORE_TARGET.length;
  while (end < bytes.byteLength && bytes[end] !== SPACE) end++;
  for (let at = 0; at < BEHIND_TARGET.length; at++) {
    if (bytes[end + at] !== BEHIND_TARGET[at]) return -1;
  }
  return end;
}

/** Texts by their octets; of two with the same hash the later one is known. */
class Known {
  #entries = new Map<number, { readonly octets: Uint8Array; readonly text: string }>();

  add(octets: Uint8Array, text: string): void {
    if (this.#entries.size >= MAX_KNOWN) this.#entries.clear(); // The next requests say what is used.
    this.#entries.set(hashOf(octets, 0, octets.byteLength), { octets, text });
  }

  find(bytes: Uint8Array, from: number, to: number): string | undefined {
    const entry = this.#entries.get(hashOf(bytes, from, to));
    if (entry === undefined) return undefined;
    const { octets, text } = entry;
    if (octets.byteLength !== to - from) return undefined;
    for (let at = 0; at < octets.byteLength; at++) {
      if (octets[at] !== bytes[from + at]) return undefined;
    }
    return text;
  }
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash;
}
