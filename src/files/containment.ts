import type { FileFacts, Files, OpenFile, OpenFolder } from "../transport/mod.ts";
import { isSameFile } from "./file_version.ts";
import { commonListing, type Listing } from "./listing.ts";

/**
 * Which symbolic links are followed below a root: those that lead to somewhere inside of it, none, or
 * all. The way to the root itself may always have links.
 */
export type LinkRule = "inside" | "never" | "follow";

/** A folder in which nothing was made, removed or renamed for so long played no trick just now. */
const QUIET_MS = 2100;
/** How often names are compared in folders that are not quiet. */
const ROUNDS = 8;

/** What a look at each name on the way to something showed. */
interface Way {
  /**
   * `proven`: these names lead to this very thing since before it was opened; `seen`: they do so now;
   * `linked`: one of them is a link; `broken`: they lead to nothing of this kind.
   */
  readonly kind: "proven" | "seen" | "linked" | "broken";
  /** The facts of what they lead to. */
  readonly facts?: FileFacts;
}

/**
 * Decides whether what was found lies within the root.
 *
 * Of a file that is open, the kernel says by which path it knows it: a word that nobody can outrun by
 * swapping folders and links. Where it does not say (outside of Linux, and in Deno without all
 * permissions), the names from the file up to the root are looked at after it was opened: a file, and
 * folders that are no links. If nothing changed in these folders for two seconds, they were the same
 * when it was opened, which proves it on a local file system. Otherwise the file must be the open one
 * in eight rounds. What remains there is somebody who swaps a folder of the root and a link, all the
 * time, and meets the right moment nine times in a row.
 */
export class Containment {
  #files: Files;
  #root: string;
  #links: LinkRule;
  #separator: string;
  #realRoot: string | undefined;

  /** `root` may be a link, also one that leads elsewhere later. */
  constructor(files: Files, root: string, links: LinkRule) {
    this.#files = files;
    this.#root = root;
    this.#links = links;
    this.#separator = files.join("a", "b")[1]!;
  }

  /** The root's own path without links. */
  async resolveRoot(): Promise<string> {
    return this.#realRoot = await this.#files.realPath(this.#root);
  }

  /** Whether what these names lead to, such as a folder or a link, lies in the root now. */
  async holds(names: readonly string[]): Promise<boolean> {
    if (this.#links === "follow" || names.length === 0) return true;
    return await this.#allows(await this.#realPathOf(names), names);
  }

  /**
   * The facts of a regular file that these names led to when it was opened, at `openedMs`, if it lies
   * in the root.
   */
  async admit(
    file: OpenFile,
    names: readonly string[],
    openedMs: number,
  ): Promise<FileFacts | undefined> {
    if (this.#links !== "follow") {
      const real = await file.realPath();
      if (real === undefined) return await this.#admitByNames(file, names, openedMs);
      if (!await this.#allows(real, names)) return undefined;
    }
    const facts = await file.stat();
    return facts.kind === "file" ? facts : undefined;
  }

  /** What is in a folder that these names led to when it was opened, if it lies in the root. */
  async listed(
    folder: OpenFolder,
    names: readonly string[],
    openedMs: number,
    list: () => Promise<Listing>,
  ): Promise<Listing | undefined> {
    if (this.#links === "follow") return await list();
    const real = await folder.realPath();
    if (real === undefined) return await this.#listedByNames(names, openedMs, list);
    return await this.#allows(real, names) ? await list() : undefined;
  }

  /** Whether these names may lead to a real path: from the root as it is known, or as it is now. */
  async #allows(real: string, names: readonly string[]): Promise<boolean> {
    const known = this.#realRoot;
    if (known !== undefined && this.#allowsFrom(known, real, names)) return true;
    const now = await this.resolveRoot();
    return now !== known && this.#allowsFrom(now, real, names);
  }

  #allowsFrom(root: string, real: string, names: readonly string[]): boolean {
    if (this.#links === "inside") return this.#isBelow(root, real);
    const plain = this.#files.join(root, ...names);
    return real === plain || real === `${plain} (deleted)`;
  }

  #isBelow(root: string, real: string): boolean {
    return real === root || real.startsWith(this.#prefix(root));
  }

  #prefix(root: string): string {
    return root.endsWith(this.#separator) ? root : root + this.#separator;
  }

  #realPathOf(names: readonly string[]): Promise<string> {
    return this.#files.realPath(this.#files.join(this.#root, ...names));
  }

  async #admitByNames(
    file: OpenFile,
    names: readonly string[],
    openedMs: number,
  ): Promise<FileFacts | undefined> {
    const way = await this.#way(names, "file", openedMs);
    if (way.kind === "proven" && way.names === names) return way.facts;
    // A link may have led elsewhere before: what is open must be what these names lead to.
    const facts = await file.stat();
    let last: Way = way;
    for (let round = 1; last.facts !== undefined; round++) {
      if (!isSameFile(last.facts, facts)) return undefined;
      if (last.kind === "proven" || round === ROUNDS) return facts;
      last = await this.#look(way.names, "file", openedMs);
    }
    return undefined;
  }

  /** Each round must show a folder of the root; what counts is what all rounds agree on. */
  async #listedByNames(
    names: readonly string[],
    openedMs: number,
    list: () => Promise<Listing>,
  ): Promise<Listing | undefined> {
    let listing = await list();
    const way = await this.#way(names, "directory", openedMs);
    let last: Way = way;
    for (let round = 1; last.facts !== undefined; round++) {
      // Behind a link the path that is listed is not the one that is looked at: it takes the rounds.
      if (last.kind === "proven" && way.names === names || round === ROUNDS) return listing;
      listing = commonListing(listing, await list());
      last = await this.#look(way.names, "directory", openedMs);
    }
    return undefined;
  }

  /** Look at the way to a path; where links are followed, at the way that they lead along. */
  async #way(
    names: readonly string[],
    kind: "file" | "directory",
    openedMs: number,
  ): Promise<Way & { readonly names: readonly string[] }> {
    const way = await this.#look(names, kind, openedMs);
    if (way.kind !== "linked" || this.#links !== "inside") return { ...way, names };
    const real = await this.#realPathOf(names);
    if (!await this.#allows(real, names)) return { kind: "broken", names };
    const below = real.slice(this.#prefix(this.#realRoot!).length);
    const realNames = below === "" ? [] : below.split(this.#separator);
    return { ...await this.#look(realNames, kind, openedMs), names: realNames };
  }

  /**
   * Look at each name, from the last one up to the root, which must have been quiet the longest. The
   * root goes by the path that was given, which is all that Deno may have permission to read.
   */
  async #look(
    names: readonly string[],
    kind: "file" | "directory",
    openedMs: number,
  ): Promise<Way> {
    let last: FileFacts | undefined;
    let isQuiet = true;
    for (let count = names.length; count >= 0; count--) {
      const path = this.#files.join(this.#root, ...names.slice(0, count));
      const facts = await this.#files.lookUp(path, { followLinks: count === 0 });
      if (facts?.kind === "link") return { kind: "linked" };
      if (facts?.kind !== (last === undefined ? kind : "directory")) return { kind: "broken" };
      last ??= facts;
      if (facts.kind === "directory" && openedMs - Number(facts.changedNs) / 1e6 < QUIET_MS) {
        isQuiet = false;
      }
    }
    return { kind: isQuiet ? "proven" : "seen", facts: last };
  }
}
