import type { FileFacts } from "../transport/mod.ts";

/** A name in a folder, of something that can be asked for. */
export interface ListingEntry {
  /** The plain name. */
  readonly name: string;
  /** What it is, or leads to. */
  readonly kind: "file" | "directory";
  /** The length of a file in bytes, 0 for a folder. */
  readonly size: number;
  /** When it last changed, in milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** What there is in a folder. */
export interface Listing {
  /** Folders first, each kind by name. */
  readonly entries: readonly ListingEntry[];
  /** Whether there is more than was looked at. */
  readonly isCut: boolean;
}

/**
 * List what can be asked for in a folder. Of a huge one the first names are looked at that the system
 * gives, in whatever order; the rest is left out, so that the answer does not grow with it.
 *
 * @param found the names, one more than may be looked at if there are more
 * @param maxNames how many may be looked at
 * @param look the facts of what a name leads to, if it may be served
 */
export async function listFolder(
  found: readonly string[],
  maxNames: number,
  look: (name: string) => Promise<FileFacts | undefined>,
): Promise<Listing> {
  const entries: ListingEntry[] = [];
  for (const name of found.slice(0, maxNames)) {
    const facts = await look(name);
    if (facts === undefined) continue;
    const { kind, size, modifiedMs } = facts;
    if (kind === "file") entries.push({ name, kind, size, modifiedMs });
    else if (kind === "directory") entries.push({ name, kind, size: 0, modifiedMs });
  }
  return { entries: entries.sort(compareEntries), isCut: found.length > maxNames };
}

/** Folders before files; names in the order of their code units, the same on every machine. */
function compareEntries(one: ListingEntry, other: ListingEntry): number {
  if (one.kind !== other.kind) return one.kind === "directory" ? -1 : 1;
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}
