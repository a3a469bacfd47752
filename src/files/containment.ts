import type { FileFacts, Files } from "../transport/mod.ts";
import { isSameFile } from "./file_version.ts";
import type { OpenedFile } from "./open_files.ts";

/**
 * Which symbolic links are followed below a root: those that lead to somewhere inside of it, none, or
 * all. The way to the root itself may always have links.
 */
export type LinkRule = "inside" | "never" | "follow";

/** A folder in which nothing was made, removed or renamed for so long cannot have played a trick. */
const QUIET_MS = 2100;
/** How often names are compared in folders that are not quiet. */
const ROUNDS = 8;

/**
 * Decides whether what was found lies within the root.
 *
 * For a file that is open, the kernel says by which path it knows it: that cannot be outrun by
 * somebody who swaps folders and links. Where the kernel does not say (systems other than Linux, Deno
 * without all permissions), the names from the root down to the file are looked at once more, from
 * the end to the start: each must be a folder and no link, and the last one the very file that is
 * open. That proves it while none of these folders changed for two seconds. For others it is repeated
 * eight times, and a swap would have to meet the right moment each time: this remains.
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
    const real = await this.#files.realPath(this.#files.join(this.#root, ...names));
    return await this.#withRoot((root) => this.#allows(root, real, names));
  }

  /** Whether an open file, to which these names led at `openedMs`, lies in the root. */
  async admits(
    { file, facts }: OpenedFile,
    names: readonly string[],
    openedMs: number,
  ): Promise<boolean> {
    if (this.#links === "follow") return true;
    const real = await file.realPath();
    if (real !== undefined) {
      return await this.#withRoot((root) => this.#allows(root, real, names));
    }
    return await this.#withRoot((root) => this.#leadsTo(root, names, facts, openedMs));
  }

  /** Ask with the root as it is known; if that fails, with the root as it is now. */
  async #withRoot(ask: (realRoot: string) => boolean | Promise<boolean>): Promise<boolean> {
    const known = this.#realRoot;
    if (known !== undefined && await ask(known)) return true;
    const now = await this.resolveRoot();
    return now !== known && await ask(now);
  }

  #allows(root: string, real: string, names: readonly string[]): boolean {
    if (this.#links === "inside") return this.#namesBelow(root, real) !== undefined;
    const plain = this.#files.join(root, ...names);
    return real === plain || real === `${plain} (deleted)`;
  }

  /** The part of a real path that is below a root. */
  #namesBelow(root: string, real: string): string[] | undefined {
    if (real === root) return [];
    const prefix = root.endsWith(this.#separator) ? root : root + this.#separator;
    return real.startsWith(prefix) ? real.slice(prefix.length).split(this.#separator) : undefined;
  }

  async #leadsTo(
    root: string,
    names: readonly string[],
    facts: FileFacts,
    openedMs: number,
  ): Promise<boolean> {
    let way = await this.#look(root, names, facts, openedMs);
    if (way === "linked" && this.#links === "inside") {
      const real = this.#namesBelow(
        root,
        await this.#files.realPath(this.#files.join(root, ...names)),
      );
      if (real === undefined) return false;
      names = real;
      way = await this.#look(root, names, facts, openedMs);
    }
    for (let round = 1; way === "seen" && round < ROUNDS; round++) {
      way = await this.#look(root, names, facts, openedMs);
      if (way === "seen" && round === ROUNDS - 1) return true;
    }
    return way === "proven";
  }

  /** Look at each name from the last one up to the root. */
  async #look(
    root: string,
    names: readonly string[],
    wanted: FileFacts,
    openedMs: number,
  ): Promise<"proven" | "seen" | "linked" | "elsewhere"> {
    let isQuiet = true;
    for (let count = names.length; count >= 0; count--) {
      const path = this.#files.join(root, ...names.slice(0, count));
      const facts = await this.#files.lookUp(path, { followLinks: false });
      if (facts?.kind === "link") return "linked";
      if (facts === undefined) return "elsewhere";
      if (count === names.length) {
        if (!isSameFile(facts, wanted)) return "elsewhere";
      } else if (facts.kind !== "directory") {
        return "elsewhere";
      } else if (openedMs - Number(facts.changedNs) / 1e6 < QUIET_MS) {
        isQuiet = false;
      }
    }
    return isQuiet ? "proven" : "seen";
  }
}
