import { type Clock, type Files, type OnError, systemClock } from "../transport/mod.ts";
import type { LinkRule } from "./containment.ts";

/** Options of {@linkcode FileRoot}. */
export interface FileRootOptions {
  /** The folder whose files are served; it may be a link. */
  readonly root: string;
  /** The host's files; without them nothing can be served. */
  readonly files: Files | undefined;
  /**
   * Which symbolic links below the root are followed: those that lead to somewhere inside of it
   * (`inside`), none (`never`), or all (`follow`).
   *
   * @default {"inside"}
   */
  readonly symlinks?: LinkRule;
  /**
   * Whether names that begin with a dot are there for others (`serve`) or not (`hide`), `.well-known`
   * included.
   *
   * @default {"hide"}
   */
  readonly dotfiles?: "hide" | "serve";
  /**
   * What a folder is answered with: its index file, if it has one (`index`), or else a listing
   * (`list`), or nothing at all (`none`).
   *
   * @default {"index"}
   */
  readonly directories?: "index" | "list" | "none";
  /**
   * The name of the index file.
   *
   * @default {"index.html"}
   */
  readonly indexFile?: string;
  /**
   * The most descriptors that are held at once. Whoever would need one more gets an error, as from
   * the system when it has none left: to wait for slow readers could take hours.
   *
   * @default {4096}
   */
  readonly maxOpenFiles?: number;
  /**
   * The most names of a folder that are looked at for a listing.
   *
   * @default {1000}
   */
  readonly maxListed?: number;
  /**
   * The most digests that are computed at once; further ones wait.
   *
   * @default {2}
   */
  readonly maxDigests?: number;
  /** Told of descriptors that could not be closed. */
  readonly onError?: OnError;
  /**
   * Measures time.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
  /**
   * The time of day in milliseconds since 1970, by which files are young or not.
   *
   * @default {Date.now}
   */
  readonly nowMs?: () => number;
}

/** The options with their defaults. */
export type FileRootSettings =
  & Required<Omit<FileRootOptions, "files" | "onError">>
  & Pick<FileRootOptions, "onError">;

/**
 * Check the options.
 *
 * @throws {TypeError} For a word that is not known.
 * @throws {RangeError} For a bound that is out of range.
 */
export function settingsOf(options: FileRootOptions): FileRootSettings {
  const {
    root,
    symlinks = "inside",
    dotfiles = "hide",
    directories = "index",
    indexFile = "index.html",
    maxOpenFiles = 4096,
    maxListed = 1000,
    maxDigests = 2,
    onError,
    clock = systemClock,
    nowMs = Date.now,
  } = options;
  if (root === "") throw new TypeError('Cannot serve root "": expected a folder');
  assertOneOf("symlinks", symlinks, ["inside", "never", "follow"]);
  assertOneOf("dotfiles", dotfiles, ["hide", "serve"]);
  assertOneOf("directories", directories, ["index", "list", "none"]);
  assertAtLeast("maxOpenFiles", maxOpenFiles, 1);
  assertAtLeast("maxListed", maxListed, 0);
  assertAtLeast("maxDigests", maxDigests, 1);
  return {
    root,
    symlinks,
    dotfiles,
    directories,
    indexFile,
    maxOpenFiles,
    maxListed,
    maxDigests,
    onError,
    clock,
    nowMs,
  };
}

function assertOneOf(name: string, value: string, words: readonly string[]): void {
  if (words.includes(value)) return;
  const expected = words.map((word) => `"${word}"`).join(", ");
  throw new TypeError(`Cannot use ${name} "${value}": expected one of ${expected}`);
}

function assertAtLeast(name: string, value: number, least: number): void {
  if (value >= least) return;
  throw new RangeError(`Cannot use ${name} "${value}": expected at least ${least}`);
}
