// A tag is kept as it is written: `"a"` is a strong one, `W/"a"` a weak one (RFC 9110, section 8.8.3).

/**
 * Whether a text is one entity tag.
 *
 * @example
 * ```ts
 * import { isEntityTag } from "@jackfield/jackfield/core";
 *
 * if (!isEntityTag('W/"a"') || isEntityTag("a")) throw new Error("unexpected");
 * ```
 */
export function isEntityTag(text: string): boolean {
  return /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(text);
}

/**
 * Whether both tags are strong and equal (RFC 9110, section 8.8.3.2): the bytes are the same.
 *
 * @example
 * ```ts
 * import { matchesStrongly } from "@jackfield/jackfield/core";
 *
 * if (!matchesStrongly('"a"', '"a"') || matchesStrongly('W/"a"', 'W/"a"')) {
 *   throw new Error("unexpected");
 * }
 * ```
 */
export function matchesStrongly(one: string, other: string): boolean {
  return one === other && !one.startsWith("W/");
}

/**
 * Whether two tags are equal, weak or not (RFC 9110, section 8.8.3.2): the meaning is the same.
 *
 * @example
 * ```ts
 * import { matchesWeakly } from "@jackfield/jackfield/core";
 *
 * if (!matchesWeakly('"a"', 'W/"a"')) throw new Error("unexpected");
 * ```
 */
export function matchesWeakly(one: string, other: string): boolean {
  return withoutWeakness(one) === withoutWeakness(other);
}

function withoutWeakness(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}

/**
 * The tags of If-Match or If-None-Match, or `*` for any (RFC 9110, sections 13.1.1 and 13.1.2);
 * `undefined` when the field is not well-formed.
 *
 * @example
 * ```ts
 * import { parseEntityTags } from "@jackfield/jackfield/core";
 *
 * if (parseEntityTags('"a,b", W/"c"')?.length !== 2) throw new Error("unexpected");
 * ```
 */
export function parseEntityTags(field: string): readonly string[] | "*" | undefined {
  if (field === "*") return "*";
  const tags: string[] = [];
  let separated = true;
  for (let at = 0; at < field.length;) {
    const character = field[at];
    if (character === "," || character === " " || character === "\t") {
      if (character === ",") separated = true;
      at++;
      continue;
    }
    // A tag may hold commas, so the list is cut at the quotes.
    const open = character === "W" ? at + 2 : at;
    const close = field[open] === '"' ? field.indexOf('"', open + 1) : -1;
    if (!separated || close < 0) return undefined;
    const tag = field.slice(at, close + 1);
    if (!isEntityTag(tag)) return undefined;
    tags.push(tag);
    separated = false;
    at = close + 1;
  }
  return tags.length === 0 ? undefined : tags;
}
