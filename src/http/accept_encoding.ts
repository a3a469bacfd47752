import { listElements } from "./field_list.ts";

/** A coding or `*`, and its weight (RFC 9110, section 12.4.2): three digits behind the point at most. */
const ELEMENT =
  /^(\*|[!#$%&'+\-.^_`|~0-9A-Za-z]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i;

/**
 * Which of a file's codings to send (RFC 9110, section 12.5.3): the one with the greatest weight, of
 * equal ones the first of `available`, `identity` when nothing asks for another; `undefined` when
 * even that is refused (status 406).
 *
 * Without the field the file is sent as it is: who does not name a coding may not know it. `x-gzip`
 * is gzip (section 8.4.1.3). An element that is not well-formed names nothing.
 *
 * Wherever there was something to choose from, the answer says `Vary: Accept-Encoding`.
 *
 * @param field the field Accept-Encoding
 * @param available the codings besides identity that there are, the best one first
 *
 * @example
 * ```ts
 * import { chooseCoding } from "@jackfield/jackfield/core";
 *
 * const available = ["br", "gzip"];
 * if (chooseCoding("gzip, br;q=0.5", available) !== "gzip") throw new Error("unexpected");
 * if (chooseCoding("*;q=0", available) !== undefined) throw new Error("unexpected");
 * ```
 */
export function chooseCoding(
  field: string | undefined,
  available: readonly string[],
): string | undefined {
  if (field === undefined) return "identity";
  // The usual case, for which nothing needs to be read: only a weight of 0 refuses.
  if (available.length === 0 && !field.includes(";")) return "identity";
  const weights = weightsOf(field);
  const others = weights.get("*");
  // Not named, identity will do, but anything that is named is better.
  let best = weights.get("identity") ?? (others === 0 ? 0 : others ?? Number.MIN_VALUE);
  let chosen = best > 0 ? "identity" : undefined;
  for (const coding of available.toReversed()) {
    const weight = weights.get(coding) ?? others ?? 0;
    if (weight > 0 && weight >= best) {
      best = weight;
      chosen = coding;
    }
  }
  return chosen;
}

function weightsOf(field: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const element of listElements(field)) {
    const match = ELEMENT.exec(element);
    if (match === null) continue;
    const name = match[1]!.toLowerCase();
    const coding = name === "x-gzip" ? "gzip" : name;
    const weight = Number(match[2] ?? 1);
    // Named twice: the lesser word counts.
    weights.set(coding, Math.min(weight, weights.get(coding) ?? 1));
  }
  return weights;
}
