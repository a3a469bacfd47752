import { type DictionaryValue, parseDictionary } from "./dictionary.ts";

/** The algorithms of RFC 9530 that are not broken. */
export type DigestAlgorithm = "sha-256" | "sha-512";

/** Digests by algorithm. */
export type Digests = ReadonlyMap<DigestAlgorithm, Uint8Array>;

/** How many bytes a digest has. */
const LENGTHS: ReadonlyMap<string, number> = new Map([["sha-256", 32], ["sha-512", 64]]);

/**
 * Read Repr-Digest or Content-Digest (RFC 9530, sections 2 and 3).
 *
 * Algorithms that are not known are left out. `undefined` when the field is not well-formed, or a
 * digest has the wrong length: nothing in it is to be believed then.
 *
 * @example
 * ```ts
 * import { parseDigests } from "@jackfield/jackfield/core";
 *
 * const field = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:, md5=:AAAA:";
 * if (parseDigests(field)?.get("sha-256")?.byteLength !== 32) throw new Error("unexpected");
 * ```
 */
export function parseDigests(
  field: string,
): Map<DigestAlgorithm, Uint8Array<ArrayBuffer>> | undefined {
  return known(
    parseDictionary(field),
    (value, length) => typeof value !== "number" && value.byteLength === length ? value : undefined,
  );
}

/**
 * Write Repr-Digest or Content-Digest (RFC 9530, sections 2 and 3).
 *
 * @throws {TypeError} When an algorithm is not known.
 * @throws {RangeError} When a digest has the wrong length.
 *
 * @example
 * ```ts
 * import { formatDigests } from "@jackfield/jackfield/core";
 *
 * const text = formatDigests(new Map([["sha-256", new Uint8Array(32)]]));
 * if (text !== `sha-256=:${"A".repeat(43)}=:`) throw new Error("unexpected");
 * ```
 */
export function formatDigests(digests: Digests): string {
  const members: string[] = [];
  for (const [algorithm, digest] of digests) {
    const length = LENGTHS.get(algorithm);
    if (length === undefined) throw unknownAlgorithm(algorithm);
    if (digest.byteLength !== length) {
      throw new RangeError(
        `Cannot write digest of ${digest.byteLength} bytes: expected ${length} for ${algorithm}`,
      );
    }
    members.push(`${algorithm}=:${btoa(String.fromCharCode(...digest))}:`);
  }
  return members.join(", ");
}

/**
 * Read Want-Repr-Digest or Want-Content-Digest (RFC 9530, section 4): the preference of each known
 * algorithm, from 0 (not acceptable) to 10; `undefined` when the field is not well-formed.
 *
 * @example
 * ```ts
 * import { parseDigestPreferences } from "@jackfield/jackfield/core";
 *
 * const preferences = parseDigestPreferences("sha-256=1, sha-512=10");
 * if (preferences?.get("sha-512") !== 10) throw new Error("unexpected");
 * ```
 */
export function parseDigestPreferences(field: string): Map<DigestAlgorithm, number> | undefined {
  return known(parseDictionary(field), (value) => isPreference(value) ? value : undefined);
}

/**
 * Write Want-Repr-Digest or Want-Content-Digest (RFC 9530, section 4).
 *
 * @throws {TypeError} When an algorithm is not known.
 * @throws {RangeError} When a preference is no integer from 0 to 10.
 *
 * @example
 * ```ts
 * import { formatDigestPreferences } from "@jackfield/jackfield/core";
 *
 * const text = formatDigestPreferences(new Map([["sha-256", 10]]));
 * if (text !== "sha-256=10") throw new Error("unexpected");
 * ```
 */
export function formatDigestPreferences(preferences: ReadonlyMap<DigestAlgorithm, number>): string {
  const members: string[] = [];
  for (const [algorithm, preference] of preferences) {
    if (!LENGTHS.has(algorithm)) throw unknownAlgorithm(algorithm);
    if (!isPreference(preference)) {
      throw new RangeError(
        `Cannot write preference "${preference}": expected an integer from 0 to 10`,
      );
    }
    members.push(`${algorithm}=${preference}`);
  }
  return members.join(", ");
}

/**
 * Which of these algorithms a client wants most (RFC 9530, section 4); of equal ones the first.
 * `undefined` when it wants none of them.
 *
 * @example
 * ```ts
 * import { chooseDigest, parseDigestPreferences } from "@jackfield/jackfield/core";
 *
 * const preferences = parseDigestPreferences("sha-512=3, sha-256=0")!;
 * if (chooseDigest(preferences, ["sha-256", "sha-512"]) !== "sha-512") throw new Error("unexpected");
 * ```
 */
export function chooseDigest(
  preferences: ReadonlyMap<DigestAlgorithm, number>,
  available: Iterable<DigestAlgorithm>,
): DigestAlgorithm | undefined {
  let chosen: DigestAlgorithm | undefined;
  let best = 0;
  for (const algorithm of available) {
    const preference = preferences.get(algorithm) ?? 0;
    if (preference <= best) continue;
    best = preference;
    chosen = algorithm;
  }
  return chosen;
}

function isPreference(value: DictionaryValue): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 10;
}

function unknownAlgorithm(algorithm: string): TypeError {
  return new TypeError(`Cannot use algorithm "${algorithm}": expected sha-256 or sha-512`);
}

/** The members of known algorithms; nothing at all when one of these has no value of its kind. */
function known<Value>(
  members: Map<string, DictionaryValue> | undefined,
  read: (value: DictionaryValue, length: number) => Value | undefined,
): Map<DigestAlgorithm, Value> | undefined {
  if (members === undefined) return undefined;
  const values = new Map<DigestAlgorithm, Value>();
  for (const [algorithm, member] of members) {
    const length = LENGTHS.get(algorithm);
    if (length === undefined) continue;
    const value = read(member, length);
    if (value === undefined) return undefined;
    values.set(algorithm as DigestAlgorithm, value);
  }
  return values;
}
