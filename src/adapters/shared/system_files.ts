import { constants, fstatSync, lstatSync, statSync } from "node:fs";
import { opendir, realpath, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type FileFacts, type Files, JackfieldError, osCodeOf } from "../../transport/mod.ts";
import { descriptorView, type FilesOfRuntime } from "./descriptor_view.ts";
import { named } from "./file_errors.ts";
import { factsOf } from "./file_facts.ts";
import { openSystemFile } from "./system_file.ts";
import { openSystemFolder } from "./system_folder.ts";

/**
 * Files over `node:fs`, which Deno, Bun and Node have alike.
 *
 * Whatever looks up, opens, closes, or reads little does so at once: measured, it takes 1 to 8 µs,
 * and 20 to 90 µs by way of the runtimes' pools of threads. Large reads go there.
 */
export function createSystemFiles(runtime: FilesOfRuntime): Files {
  const lookUp = (path: string, followLinks: boolean): FileFacts | undefined => {
    try {
      return runtime.lookUp(path, followLinks);
    } catch (error) {
      if (NOTHING_THERE.has(osCodeOf(error) ?? "")) return undefined;
      throw error;
    }
  };
  const view = descriptorView(runtime);
  return {
    open: (path, { create = false, update = false, noFollow = false } = {}) =>
      named("open", path, () => {
        const flags = create ? CREATE : update ? constants.O_RDWR : noFollow ? READ_NO_LINK : READ;
        return openSystemFile(path, flags, view);
      }),
    realPath: (path) => named("resolve", path, () => realpath(path)),
    stat: (path) =>
      named("look at", path, () => {
        const facts = lookUp(path, true);
        if (facts !== undefined) return facts;
        const message = `Cannot look at "${path}": it does not exist`;
        throw new JackfieldError("FILE_FAILED", message, {
          operation: "look at",
          osCode: "ENOENT",
        });
      }),
    lookUp: (path, { followLinks = true } = {}) =>
      named("look at", path, () => lookUp(path, followLinks)),
    openFolder: (path) => named("open", path, () => openSystemFolder(path, view, runtime, lookUp)),
    rename: (from, to) => named("rename", from, () => rename(from, to)),
    remove: (path) => named("remove", path, () => rm(path)),
    join,
  };
}

const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;
// Windows has none of these: no named pipes in folders, and no terminals.
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);
const READ_NO_LINK = READ | (constants.O_NOFOLLOW ?? 0);
const NOTHING_THERE: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);

/** How Bun and Node look at files. */
export const lookOfNode: FilesOfRuntime = {
  lookUp(path, followLinks) {
    const stats = followLinks ? statSync(path, EXACT) : lstatSync(path, EXACT);
    return stats === undefined ? undefined : factsOf(stats);
  },
  look: (descriptor) => factsOf(fstatSync(descriptor, EXACT)),
  mayReadProc: () => true,
  async list(path, maxNames) {
    const names: string[] = [];
    if (maxNames <= 0) return names;
    // Leaving the loop closes the folder.
    for await (const { name } of await opendir(path, { bufferSize: 256 })) {
      names.push(name);
      if (names.length >= maxNames) break;
    }
    return names;
  },
};

/** The files of Bun and Node. */
export const systemFiles: Files = createSystemFiles(lookOfNode);

const EXACT = { bigint: true, throwIfNoEntry: false } as const;
