import {
  type FileFacts,
  type Files,
  isJackfieldError,
  JackfieldError,
  type OnError,
  type OpenFolder,
} from "../transport/mod.ts";
import { Containment } from "./containment.ts";
import { FileDigests } from "./file_digests.ts";
import type { FileRootSettings } from "./file_root_options.ts";
import { isSameVersion, validatorsOf, versionOf } from "./file_version.ts";
import { type OpenedFile, OpenFiles } from "./open_files.ts";
import { isName, type NameRules } from "./request_path.ts";
import { type CodedFile, type FileSource, FileUse, type ServedFile } from "./served_file.ts";

/** What the system says of paths that lead to nothing that can be served. */
const NOT_THERE = new Set([
  "EACCES",
  "EINVAL",
  "ELOOP",
  "ENAMETOOLONG",
  "ENODEV",
  "ENOENT",
  "ENOTDIR",
  "ENXIO",
  "EPERM",
]);
/** How many digests are remembered. */
const MAX_DIGESTS_KEPT = 1024;

/** Looks up and opens files below a root by their names. */
export class FileStore implements FileSource {
  readonly files: Files;
  readonly openFiles: OpenFiles;
  readonly digests: FileDigests;
  readonly containment: Containment;
  readonly rules: NameRules;
  readonly nowMs: () => number;
  #root: string;
  #followsLinks: boolean;

  constructor(files: Files, settings: FileRootSettings) {
    const { root, symlinks, dotfiles, maxOpenFiles, maxDigests, onError, clock, nowMs } = settings;
    this.files = files;
    this.nowMs = nowMs;
    this.rules = { dots: dotfiles === "serve", windows: files.join("a", "b") === "a\\b" };
    this.containment = new Containment(files, root, symlinks, clock);
    this.openFiles = new OpenFiles(maxOpenFiles, (error) => report(onError, error));
    this.digests = new FileDigests({
      openFiles: this.openFiles,
      maxActive: maxDigests,
      maxKept: MAX_DIGESTS_KEPT,
      nowMs,
    });
    this.#root = root;
    this.#followsLinks = symlinks !== "never";
  }

  /** The path of these names. */
  pathOf(names: readonly string[]): string {
    return this.files.join(this.#root, ...names);
  }

  /** What a path leads to now. */
  lookUp(path: string): Promise<FileFacts | undefined> {
    return this.files.lookUp(path);
  }

  /** Use a file that is open already, if it is still what these facts say, or open it. */
  async use(
    path: string,
    names: readonly string[],
    facts: FileFacts,
  ): Promise<FileUse | undefined> {
    const shared = this.openFiles.share(path, facts) ??
      await this.openFiles.open(path, facts, () => this.#open(path, names));
    return shared === undefined ? undefined : new FileUse(this, shared, path, names.join("/"));
  }

  async #open(path: string, names: readonly string[]): Promise<OpenedFile | undefined> {
    const openedMs = this.nowMs();
    const file = await this.files.open(path, { noFollow: !this.#followsLinks });
    let facts: FileFacts | undefined;
    try {
      facts = await this.containment.admit(file, names, openedMs);
    } finally {
      if (facts === undefined) await file.close();
    }
    return facts === undefined ? undefined : { file, facts };
  }

  /**
   * The facts of what a name in a folder leads to, if it may be served. `lookUp` looks in the folder.
   */
  async lookInside(
    folder: readonly string[],
    name: string,
    lookUp: OpenFolder["lookUp"] = (name, options) =>
      this.files.lookUp(this.pathOf([...folder, name]), options),
  ): Promise<FileFacts | undefined> {
    if (!isName(name, this.rules)) return undefined;
    try {
      // Most neighbours are missing, and to say so is quickest for a name that is followed.
      const facts = await lookUp(name);
      if (facts === undefined) return undefined;
      if ((await lookUp(name, { followLinks: false }))?.kind !== "link") return facts;
      return this.#followsLinks && await this.containment.holds([...folder, name])
        ? facts
        : undefined;
    } catch (error) {
      if (isNotThere(error)) return undefined;
      throw error;
    }
  }

  async findCoded(
    file: FileFacts,
    names: readonly string[],
    codings: readonly (readonly [coding: string, ending: string])[],
  ): Promise<readonly CodedFile[]> {
    const folder = names.slice(0, -1);
    const found: CodedFile[] = [];
    for (const [coding, ending] of codings) {
      const name = `${names.at(-1)!}${ending}`;
      const facts = await this.lookInside(folder, name);
      if (facts?.kind !== "file" || facts.modifiedNs < file.modifiedNs) continue;
      found.push({
        coding,
        facts,
        ...validatorsOf(facts, versionOf(facts), this.nowMs()),
        open: () => this.#openVersion([...folder, name], facts),
      });
    }
    return found;
  }

  /** Open what was found; a head may have been made of its facts, so they must still be true. */
  async #openVersion(names: readonly string[], facts: FileFacts): Promise<ServedFile> {
    const path = this.pathOf(names);
    const now = await this.files.lookUp(path);
    const file = now === undefined || !isSameVersion(now, facts)
      ? undefined
      : await this.use(path, names, facts);
    if (file !== undefined && isSameVersion(file.facts, facts)) return file;
    file?.release();
    const message = `Cannot open "${path}": it changed meanwhile`;
    throw new JackfieldError("FILE_CHANGED", message, { operation: "open" });
  }
}

/** Whether an error says that there is nothing that can be served. */
export function isNotThere(error: unknown): boolean {
  return isJackfieldError(error, "FILE_FAILED") && NOT_THERE.has(error.osCode ?? "");
}

function report(onError: OnError | undefined, error: unknown): void {
  try {
    onError?.(error, { stage: "file" });
  } catch {
    // The callback that watches must not break what it watches.
  }
}
