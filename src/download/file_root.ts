import { type Files, isJackfieldError, type OpenFile, unsupported } from "../transport/mod.ts";

/** What a path of a request leads to. */
export type Found =
  | { readonly kind: "file"; readonly path: string; readonly file: OpenFile }
  | { readonly kind: "redirect"; readonly location: string }
  | { readonly kind: "missing" };

const MISSING: Found = { kind: "missing" };

/** A folder whose files may be downloaded, and nothing outside of it. */
export class FileRoot {
  #files: Files;
  #root: string;
  #realRoot: Promise<string> | undefined;

  /** `files` is the host's; without it nothing can be served. */
  constructor(files: Files | undefined, root: string) {
    if (files === undefined) throw unsupported("downloads", "the transport's host has no files");
    if (root === "") throw new TypeError('Cannot serve root "": expected a folder');
    this.#files = files;
    this.#root = root;
  }

  /**
   * Make sure that the folder is there.
   *
   * @throws {JackfieldError} `FILE_FAILED`.
   * @throws {TypeError} When it is not a folder.
   */
  async check(): Promise<void> {
    await this.#real();
    const { kind } = await this.#files.stat(this.#root);
    if (kind !== "directory") {
      throw new TypeError(`Cannot serve "${this.#root}": expected a folder, found a ${kind}`);
    }
  }

  /**
   * Find and open what a request's target names: a file under the root, also through links that stay
   * inside; for a folder its index.html. Names that begin with a dot are hidden. Whoever gets a file
   * closes it.
   *
   * @throws {JackfieldError} `FILE_FAILED` for a file that is there but cannot be opened.
   */
  async find(target: string): Promise<Found> {
    const path = target.split("?", 1)[0]!;
    const parts = partsOf(path);
    if (parts === undefined) return MISSING;
    try {
      const root = await this.#real();
      const wanted = await this.#inside(root, this.#files.join(root, ...parts));
      if (wanted === undefined) return MISSING;
      const { kind } = await this.#files.stat(wanted);
      if (kind === "file") return path.endsWith("/") ? MISSING : await this.#open(wanted);
      if (kind !== "directory") return MISSING;
      // An encoded path without empty parts: `//host` would lead elsewhere.
      const folder = `/${parts.map((part) => `${encodeURIComponent(part)}/`).join("")}`;
      if (!path.endsWith("/")) return { kind: "redirect", location: folder };
      const index = await this.#inside(root, this.#files.join(wanted, "index.html"));
      if (index === undefined) return MISSING;
      return (await this.#files.stat(index)).kind === "file" ? await this.#open(index) : MISSING;
    } catch (error) {
      if (isJackfieldError(error, "FILE_FAILED") && NOT_THERE.has(error.osCode ?? "")) {
        return MISSING;
      }
      throw error;
    }
  }

  async #open(path: string): Promise<Found> {
    return { kind: "file", path, file: await this.#files.open(path) };
  }

  /** The path without links, if it lies under the root. */
  async #inside(root: string, path: string): Promise<string | undefined> {
    const real = await this.#files.realPath(path);
    const separator = this.#files.join("a", "b")[1]!;
    const prefix = root.endsWith(separator) ? root : root + separator;
    return real === root || real.startsWith(prefix) ? real : undefined;
  }

  #real(): Promise<string> {
    return this.#realRoot ??= this.#files.realPath(this.#root).catch((error) => {
      this.#realRoot = undefined; // It may be there the next time.
      throw error;
    });
  }
}

const NOT_THERE = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "EACCES"]);

/** The decoded parts of a path; `undefined` when one could lead out of the root or is hidden. */
function partsOf(path: string): string[] | undefined {
  const parts: string[] = [];
  for (const raw of path.split("/")) {
    if (raw === "") continue;
    let part: string;
    try {
      part = decodeURIComponent(raw); // Refuses overlong and broken UTF-8.
    } catch {
      return undefined;
    }
    if (part.startsWith(".") || /[/\\\0]/.test(part)) return undefined;
    parts.push(part);
  }
  return parts;
}
