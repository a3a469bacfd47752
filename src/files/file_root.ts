import {
  type FileFacts,
  type Files,
  isJackfieldError,
  JackfieldError,
  type OnError,
  unsupported,
} from "../transport/mod.ts";
import { Containment, type LinkRule } from "./containment.ts";
import { FileDigests } from "./file_digests.ts";
import { isSameVersion, versionOf } from "./file_version.ts";
import { listFolder, type ListingEntry } from "./listing.ts";
import { OpenFiles, openRegular } from "./open_files.ts";
import {
  encodePath,
  isName,
  type NameRules,
  parsePlainPath,
  parseTargetPath,
  type WantedPath,
} from "./request_path.ts";
import {
  type CodedFile,
  type FileSource,
  FileUse,
  type ServedFile,
  validatorsOf,
} from "./served_file.ts";

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
   * The most digests that are computed at once.
   *
   * @default {2}
   */
  readonly maxDigests?: number;
  /** Told of descriptors that could not be closed. */
  readonly onError?: OnError;
  /**
   * The time of day in milliseconds since 1970, in which files are young or not.
   *
   * @default {Date.now}
   */
  readonly nowMs?: () => number;
}

/** What a path leads to. */
export type Found =
  | { readonly kind: "file"; readonly file: ServedFile }
  | {
    readonly kind: "listing";
    /** The folder's path, decoded, with a slash at both ends. */
    readonly path: string;
    /** What is in it: folders first, sorted by name. */
    readonly entries: readonly ListingEntry[];
    /** Whether there are more names than were looked at. */
    readonly isCut: boolean;
  }
  | {
    readonly kind: "redirect";
    /** The encoded path with a slash at its end, without a query. */
    readonly location: string;
  }
  | { readonly kind: "missing" };

const MISSING: Found = { kind: "missing" };
/** What the system says of paths that lead to nothing that can be served. */
const NOT_THERE = new Set([
  "ENOENT",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
  "EACCES",
  "EPERM",
  "EINVAL",
  "ENXIO",
  "ENODEV",
]);
/** How many digests are remembered. */
const MAX_DIGESTS_KEPT = 1024;

/**
 * A folder whose files may be served, and nothing outside of it.
 *
 * A path that cannot be a name, hidden names, links that lead out, and everything that is neither a
 * regular file nor a folder is `missing`, with no word about why.
 *
 * @example
 * ```ts ignore
 * const root = new FileRoot({ root: "./files", files: transport.host.files });
 * await root.check();
 * const found = await root.find("/a%20b.txt");
 * if (found.kind === "file") {
 *   const buffer = new Uint8Array(found.file.facts.size);
 *   await found.file.read(buffer, 0);
 *   found.file.release();
 * }
 * ```
 */
export class FileRoot {
  #files: Files;
  #root: string;
  #containment: Containment;
  #openFiles: OpenFiles;
  #rules: NameRules;
  #links: LinkRule;
  #directories: "index" | "list" | "none";
  #indexFile: string;
  #maxListed: number;
  #nowMs: () => number;
  #source: FileSource;

  /**
   * Checks the options; see {@linkcode check} for the folder.
   *
   * @throws {JackfieldError} `UNSUPPORTED` without files.
   * @throws {TypeError} For a word that is not known.
   * @throws {RangeError} For a bound that is out of range.
   */
  constructor(options: FileRootOptions) {
    const {
      root,
      files,
      symlinks = "inside",
      dotfiles = "hide",
      directories = "index",
      indexFile = "index.html",
      maxOpenFiles = 4096,
      maxListed = 1000,
      maxDigests = 2,
      onError,
      nowMs = Date.now,
    } = options;
    if (files === undefined) throw unsupported("files", "the transport's host has no files");
    if (root === "") throw new TypeError('Cannot serve root "": expected a folder');
    assertOneOf("symlinks", symlinks, ["inside", "never", "follow"]);
    assertOneOf("dotfiles", dotfiles, ["hide", "serve"]);
    assertOneOf("directories", directories, ["index", "list", "none"]);
    assertAtLeast("maxOpenFiles", maxOpenFiles, 1);
    assertAtLeast("maxListed", maxListed, 0);
    assertAtLeast("maxDigests", maxDigests, 1);
    const windows = files.join("a", "b") === "a\\b";
    if (!isName(indexFile, { dots: true, windows })) {
      throw new TypeError(`Cannot use indexFile "${indexFile}": expected a name`);
    }
    this.#files = files;
    this.#root = root;
    this.#links = symlinks;
    this.#containment = new Containment(files, root, symlinks);
    this.#openFiles = new OpenFiles(maxOpenFiles, (error) => report(onError, error));
    this.#rules = { dots: dotfiles === "serve", windows };
    this.#directories = directories;
    this.#indexFile = indexFile;
    this.#maxListed = maxListed;
    this.#nowMs = nowMs;
    this.#source = {
      openFiles: this.#openFiles,
      digests: new FileDigests({
        openFiles: this.#openFiles,
        maxActive: maxDigests,
        maxKept: MAX_DIGESTS_KEPT,
        nowMs,
      }),
      nowMs,
      lookUp: (path) => files.lookUp(path),
      findCoded: (file, names, codings) => this.#findCoded(file, names, codings),
    };
  }

  /** How many descriptors are held now. */
  get openFiles(): number {
    return this.#openFiles.count;
  }

  /**
   * Make sure that the folder is there.
   *
   * @throws {JackfieldError} `FILE_FAILED`.
   * @throws {TypeError} When it is not a folder.
   */
  async check(): Promise<void> {
    await this.#containment.resolveRoot();
    const { kind } = await this.#files.stat(this.#root);
    if (kind !== "directory") {
      throw new TypeError(`Cannot serve "${this.#root}": expected a folder, found a ${kind}`);
    }
  }

  /**
   * Find and open what the path of a request's target leads to, percent-encoded and without a query.
   * A folder without a slash at its end is a `redirect` to the same with one.
   *
   * @throws {JackfieldError} `FILE_FAILED` for a file that is there and cannot be opened now: `EMFILE`
   * (with `limit` if the bound is our own) or `ENFILE` when no descriptor is left.
   */
  async find(targetPath: string): Promise<Found> {
    const wanted = parseTargetPath(targetPath, this.#rules);
    if (wanted === undefined) return MISSING;
    return await missingIfNotThere(() => this.#lead(wanted, true));
  }

  /**
   * Find and open what a plain path within the root leads to, such as `folder/a b.txt`, under the
   * same rules. A folder needs no slash at its end.
   *
   * @throws {JackfieldError} See {@linkcode find}.
   */
  async open(path: string): Promise<Found> {
    const wanted = parsePlainPath(path, this.#rules);
    if (wanted === undefined) return MISSING;
    return await missingIfNotThere(() => this.#lead(wanted, false));
  }

  async #lead({ names, isFolder }: WantedPath, needsSlash: boolean): Promise<Found> {
    const path = this.#files.join(this.#root, ...names);
    const facts = await this.#files.lookUp(path);
    if (facts?.kind === "file") return isFolder ? MISSING : await this.#file(path, names, facts);
    if (facts?.kind !== "directory" || this.#directories === "none") return MISSING;
    if (!await this.#containment.holds(names)) return MISSING;
    if (needsSlash && !isFolder) return { kind: "redirect", location: encodePath(names, true) };
    const index = [...names, this.#indexFile];
    const indexPath = this.#files.join(path, this.#indexFile);
    const indexFacts = await this.#files.lookUp(indexPath);
    if (indexFacts?.kind === "file") {
      const found = await missingIfNotThere(() => this.#file(indexPath, index, indexFacts));
      if (found !== MISSING) return found;
    }
    return this.#directories === "list" ? await this.#list(path, names) : MISSING;
  }

  async #file(path: string, names: readonly string[], facts: FileFacts): Promise<Found> {
    const file = await this.#use(path, names, facts);
    return file === undefined ? MISSING : { kind: "file", file };
  }

  /** Use a file that is open already, if it is still what these facts say, or open it. */
  async #use(
    path: string,
    names: readonly string[],
    facts: FileFacts,
  ): Promise<FileUse | undefined> {
    const shared = this.#openFiles.share(path, facts) ??
      await this.#openFiles.open(path, facts, () => {
        const openedMs = this.#nowMs();
        return openRegular(
          this.#files,
          path,
          this.#links === "never",
          (opened) => this.#containment.admits(opened, names, openedMs),
        );
      });
    return shared === undefined ? undefined : new FileUse(this.#source, shared, path, names);
  }

  async #list(path: string, names: readonly string[]): Promise<Found> {
    const { entries, isCut } = await listFolder({
      maxNames: this.#maxListed,
      names: (maxNames) => this.#files.list(path, maxNames),
      look: (name) => this.#look(path, names, name),
    });
    // Somebody may have put a link in the folder's place meanwhile.
    if (!await this.#containment.holds(names)) return MISSING;
    return {
      kind: "listing",
      path: `/${names.map((name) => `${name}/`).join("")}`,
      entries,
      isCut,
    };
  }

  /** The facts of a file or folder that is beside others, if it may be served. */
  async #look(
    folder: string,
    names: readonly string[],
    name: string,
  ): Promise<FileFacts | undefined> {
    if (!isName(name, this.#rules)) return undefined;
    try {
      const path = this.#files.join(folder, name);
      const facts = await this.#files.lookUp(path, { followLinks: false });
      if (facts?.kind !== "link") return facts;
      if (this.#links === "never" || !await this.#containment.holds([...names, name])) {
        return undefined;
      }
      return await this.#files.lookUp(path);
    } catch (error) {
      if (isNotThere(error)) return undefined;
      throw error;
    }
  }

  async #findCoded(
    file: FileFacts,
    names: readonly string[],
    codings: readonly (readonly [coding: string, ending: string])[],
  ): Promise<readonly CodedFile[]> {
    const folders = names.slice(0, -1);
    const folder = this.#files.join(this.#root, ...folders);
    const found: CodedFile[] = [];
    for (const [coding, ending] of codings) {
      const name = `${names.at(-1)!}${ending}`;
      const facts = await this.#look(folder, folders, name);
      if (facts?.kind !== "file" || facts.modifiedNs < file.modifiedNs) continue;
      const path = this.#files.join(folder, name);
      found.push({
        coding,
        facts,
        ...validatorsOf(facts, versionOf(facts), this.#nowMs()),
        open: () => this.#openCoded(path, [...folders, name], facts),
      });
    }
    return found;
  }

  /** Open what was found; a head may have been made of its facts, so they must still be true. */
  async #openCoded(
    path: string,
    names: readonly string[],
    facts: FileFacts,
  ): Promise<ServedFile> {
    const file = await this.#use(path, names, facts);
    if (file !== undefined && isSameVersion(file.facts, facts)) return file;
    file?.release();
    const message = `Cannot open "${path}": it changed meanwhile`;
    throw new JackfieldError("FILE_CHANGED", message, { operation: "open" });
  }
}

async function missingIfNotThere(find: () => Promise<Found>): Promise<Found> {
  try {
    return await find();
  } catch (error) {
    if (isNotThere(error)) return MISSING;
    throw error;
  }
}

function isNotThere(error: unknown): boolean {
  return isJackfieldError(error, "FILE_FAILED") && NOT_THERE.has(error.osCode ?? "");
}

function report(onError: OnError | undefined, error: unknown): void {
  try {
    onError?.(error, { stage: "file" });
  } catch {
    // The callback that watches must not break what it watches.
  }
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
