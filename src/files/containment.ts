import {
  type Clock,
  delay,
  type FileFacts,
  type Files,
  type OpenFile,
  type OpenFolder,
} from "../transport/mod.ts";
import { isSameFile } from "./file_version.ts";

/**
 * Which symbolic links are followed below a root: those that lead to somewhere inside of it, none, or
 * all. The way to the root itself may always have links.
 */
export type LinkRule = "inside" | "never" | "follow";

/** What has kept its name and its entries for so long played no trick just now. */
const QUIET_MS = 2100;
/** How often names are looked at that are not quiet. */
const ROUNDS = 32;
/** The longest time between two rounds. */
const ROUND_MS = 2;

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
 * Of what is open, the kernel says by which path it knows it: a word that nobody can outrun by
 * swapping folders and links. Where it does not say (outside of Linux, and in Deno without all
 * permissions), each name from the last one up to the root is looked at after the file was opened:
 * the file, and folders that are no links. A name has led to the same thing since before the file was
 * opened if that thing was not renamed, or nothing was in its folder, for two seconds: the time of
 * change tells, which nobody can set. That proves it on local file systems, where a rename marks what
 * is renamed or its folder.
 *
 * What has only just come to its name must be the open file in 32 rounds, at times and in an order
 * that nobody can foresee. What remains there is somebody who swaps a folder and a link without a
 * pause, and is lucky 32 times in a row.
 */
export class Containment {
  #files: Files;
  #root: string;
  #links: LinkRule;
  #clock: Clock;
  #separator: string;
  #realRoot: string | undefined;
  /** What the real paths of everything below the root begin with. */
  #prefix = "";

  /** `root` may be a link, also one that leads elsewhere later. */
  constructor(files: Files, root: string, links: LinkRule, clock: Clock) {
    this.#files = files;
    this.#root = root;
    this.#links = links;
    this.#clock = clock;
    this.#separator = files.join("a", "b")[1]!;
  }

  /** The root's own path without links. */
  async resolveRoot(): Promise<string> {
    const real = await this.#files.realPath(this.#root);
    this.#prefix = real.endsWith(this.#separator) ? real : real + this.#separator;
    return this.#realRoot = real;
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

  /** The names in a folder that these names led to when it was opened, if it lies in the root. */
  async list(
    folder: OpenFolder,
    names: readonly string[],
    openedMs: number,
    maxNames: number,
  ): Promise<readonly string[] | undefined> {
    if (this.#links !== "follow") {
      const real = await folder.realPath();
      if (real === undefined) return await this.#listByNames(folder, names, openedMs, maxNames);
      if (!await this.#allows(real, names)) return undefined;
    }
    return await folder.list(maxNames);
  }

  /** Whether these names may lead to a real path: from the root as it is known, or as it is now. */
  #allows(real: string, names: readonly string[]): boolean | Promise<boolean> {
    const known = this.#realRoot;
    if (known !== undefined && this.#allowsFrom(known, real, names)) return true;
    return this.resolveRoot().then((now) => now !== known && this.#allowsFrom(now, real, names));
  }

  #allowsFrom(root: string, real: string, names: readonly string[]): boolean {
    if (this.#links === "inside") return real.startsWith(this.#prefix) || real === root;
    const plain = this.#files.join(root, ...names);
    return real === plain || real === `${plain} (deleted)`;
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
      last = await this.#lookAgain(way.names, "file", openedMs);
    }
    return undefined;
  }

  /** Each round must show a folder of the root; what counts is what all rounds agree on. */
  async #listByNames(
    folder: OpenFolder,
    names: readonly string[],
    openedMs: number,
    maxNames: number,
  ): Promise<readonly string[] | undefined> {
    let found = await folder.list(maxNames);
    const way = await this.#way(names, "directory", openedMs);
    let last: Way = way;
    for (let round = 1; last.facts !== undefined; round++) {
      // Behind a link the path that is listed is not the one that is looked at: it takes the rounds.
      if (last.kind === "proven" && way.names === names || round === ROUNDS) return found;
      const again = new Set(await folder.list(maxNames));
      found = found.filter((name) => again.has(name));
      last = await this.#lookAgain(way.names, "directory", openedMs);
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
    const below = real.slice(this.#prefix.length);
    const realNames = below === "" ? [] : below.split(this.#separator);
    return { ...await this.#look(realNames, kind, openedMs), names: realNames };
  }

  /** Look once more, at a time and in an order that nobody can foresee. */
  async #lookAgain(
    names: readonly string[],
    kind: "file" | "directory",
    openedMs: number,
  ): Promise<Way> {
    await delay(this.#clock, Math.random() * ROUND_MS);
    if (Math.random() < 0.5) return await this.#look(names, kind, openedMs);
    const way = await this.#look(names, kind, openedMs, "down");
    return way.kind === "proven" ? { ...way, kind: "seen" } : way;
  }

  /**
   * Look at each name. Going up, what was quiet at its turn was so when everything below it was looked
   * at. The root goes by the path that was given, which is all that Deno may have permission to read.
   */
  async #look(
    names: readonly string[],
    kind: "file" | "directory",
    openedMs: number,
    direction: "up" | "down" = "up",
  ): Promise<Way> {
    const way: FileFacts[] = [];
    for (let step = 0; step <= names.length; step++) {
      const count = direction === "up" ? names.length - step : step;
      const path = this.#files.join(this.#root, ...names.slice(0, count));
      const facts = await this.#files.lookUp(path, { followLinks: count === 0 });
      if (facts?.kind === "link") return { kind: "linked" };
      if (facts?.kind !== (count === names.length ? kind : "directory")) return { kind: "broken" };
      way[count] = facts;
    }
    const isQuiet = (facts: FileFacts) => openedMs - Number(facts.changedNs) / 1e6 >= QUIET_MS;
    const isProven = names.every((_, index) => isQuiet(way[index]!) || isQuiet(way[index + 1]!));
    return { kind: isProven ? "proven" : "seen", facts: way[names.length]! };
  }
}
