import { type FileFacts, unsupported } from "../transport/mod.ts";
import { type FileRootOptions, type FileRootSettings, settingsOf } from "./file_root_options.ts";
import { FileStore, isNotThere } from "./file_store.ts";
import { listFolder, type ListingEntry } from "./listing.ts";
import {
  encodePath,
  isName,
  parsePlainPath,
  parseTargetPath,
  type WantedPath,
} from "./request_path.ts";
import type { ServedFile } from "./served_file.ts";

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
  #store: FileStore;
  #settings: FileRootSettings;

  /**
   * Checks the options; see {@linkcode check} for the folder.
   *
   * @throws {JackfieldError} `UNSUPPORTED` without files.
   * @throws {TypeError} For a word that is not known.
   * @throws {RangeError} For a bound that is out of range.
   */
  constructor(options: FileRootOptions) {
    const { files } = options;
    if (files === undefined) throw unsupported("files", "the transport's host has no files");
    this.#settings = settingsOf(options);
    this.#store = new FileStore(files, this.#settings);
    const { indexFile } = this.#settings;
    if (!isName(indexFile, { ...this.#store.rules, dots: true })) {
      throw new TypeError(`Cannot use indexFile "${indexFile}": expected a name`);
    }
  }

  /** How many descriptors are held now. */
  get openFiles(): number {
    return this.#store.openFiles.count;
  }

  /**
   * Make sure that the folder is there.
   *
   * @throws {JackfieldError} `FILE_FAILED`.
   * @throws {TypeError} When it is not a folder.
   */
  async check(): Promise<void> {
    const { files, containment } = this.#store;
    const { root } = this.#settings;
    await containment.resolveRoot();
    const { kind } = await files.stat(root);
    if (kind !== "directory") {
      throw new TypeError(`Cannot serve "${root}": expected a folder, found a ${kind}`);
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
    const wanted = parseTargetPath(targetPath, this.#store.rules);
    return wanted === undefined ? MISSING : await this.#lead(wanted, true);
  }

  /**
   * Find and open what a plain path within the root leads to, such as `folder/a b.txt`, under the
   * same rules. A folder needs no slash at its end.
   *
   * @throws {JackfieldError} See {@linkcode find}.
   */
  async open(path: string): Promise<Found> {
    const wanted = parsePlainPath(path, this.#store.rules);
    return wanted === undefined ? MISSING : await this.#lead(wanted, false);
  }

  async #lead({ names, isFolder }: WantedPath, needsSlash: boolean): Promise<Found> {
    const { files } = this.#store;
    try {
      const path = this.#store.pathOf(names);
      let facts = await files.lookUp(path, { followLinks: false });
      if (facts?.kind === "link") facts = await files.lookUp(path);
      if (facts?.kind === "file" && !isFolder) return await this.#file(path, names, facts);
      if (facts?.kind !== "directory" || this.#settings.directories === "none") return MISSING;
      if (!await this.#store.containment.holds(names)) return MISSING;
      if (needsSlash && !isFolder) return { kind: "redirect", location: encodePath(names, true) };
      return await this.#folder(names);
    } catch (error) {
      if (isNotThere(error)) return MISSING;
      throw error;
    }
  }

  async #file(path: string, names: readonly string[], facts: FileFacts): Promise<Found> {
    const file = await this.#store.use(path, names, facts);
    return file === undefined ? MISSING : { kind: "file", file };
  }

  async #folder(names: readonly string[]): Promise<Found> {
    const { directories, indexFile } = this.#settings;
    const index = [...names, indexFile];
    const path = this.#store.pathOf(index);
    try {
      const facts = await this.#store.lookUp(path);
      const found = facts?.kind === "file" ? await this.#file(path, index, facts) : MISSING;
      if (found.kind === "file") return found;
    } catch (error) {
      if (!isNotThere(error)) throw error;
    }
    return directories === "list" ? await this.#list(names) : MISSING;
  }

  async #list(names: readonly string[]): Promise<Found> {
    const { files, containment } = this.#store;
    const { maxListed, nowMs } = this.#settings;
    const openedMs = nowMs();
    const folder = await files.openFolder(this.#store.pathOf(names));
    try {
      const found = await containment.list(folder, names, openedMs, maxListed + 1);
      if (found === undefined) return MISSING;
      const look = (name: string) => this.#store.lookInside(names, name, folder.lookUp);
      const path = `/${names.map((name) => `${name}/`).join("")}`;
      return { kind: "listing", path, ...await listFolder(found, maxListed, look) };
    } finally {
      await folder.close();
    }
  }
}
