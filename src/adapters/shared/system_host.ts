import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { writeSync } from "node:fs";
import { join } from "node:path";
import {
  type FileFacts,
  type Files,
  type Hash,
  type Host,
  JackfieldError,
  type OpenFile,
  osCodeOf,
} from "../../transport/mod.ts";
import { systemInterfaces } from "./system_interfaces.ts";
import { systemContexts, systemDiagnostics } from "./system_contexts.ts";
import { systemNames } from "./system_names.ts";
import { systemPorts } from "./system_ports.ts";

/** The parts of a host that `node:` modules give in Deno, Bun and Node alike. */
export const systemHost: Host = {
  names: systemNames,
  contexts: systemContexts,
  diagnostics: systemDiagnostics,
  interfaces: systemInterfaces,
  localPorts: systemPorts,
  get files() {
    return systemFiles;
  },
  get hash() {
    return systemHash;
  },
};

const systemFiles: Files = {
  async open(path, { create = false } = {}) {
    const flags = create ? constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC : "r";
    return openFile(path, await named("open", path, () => open(path, flags, 0o666)));
  },
  realPath: (path) => named("resolve", path, () => realpath(path)),
  stat: (path) => named("look at", path, async () => factsOf(await stat(path))),
  rename: (from, to) => named("rename", from, () => rename(from, to)),
  remove: (path) => named("remove", path, () => rm(path)),
  join,
};

function openFile(path: string, handle: FileHandle): OpenFile {
  return {
    stat: () => named("look at", path, async () => factsOf(await handle.stat())),
    read: (into, position) =>
      named("read", path, async () => {
        const { bytesRead } = await handle.read(into, 0, into.byteLength, position);
        return bytesRead;
      }),
    write: (bytes, position) =>
      named("write", path, () => {
        // Into the page cache: measured twice as fast as the asynchronous call in all runtimes.
        let written = 0;
        while (written < bytes.byteLength) {
          written += writeSync(
            handle.fd,
            bytes,
            written,
            bytes.byteLength - written,
            position + written,
          );
        }
        return Promise.resolve();
      }),
    truncate: (size) => named("truncate", path, () => handle.truncate(size)),
    close: () => named("close", path, () => handle.close()),
  };
}

interface StatLike {
  size: number;
  mtimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

function factsOf(stats: StatLike): FileFacts {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other";
  return { size: stats.size, modifiedMs: stats.mtimeMs, kind };
}

const systemHash: Hash = {
  sha256() {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  },
};

/** Run a file operation; its failure names the operation and the path. */
async function named<T>(operation: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const why = (cause as Error).name === "NotCapable"
      ? "permission is missing, run with --allow-read or --allow-write"
      : WORDS[osCodeOf(cause) ?? ""] ?? (cause as Error).message;
    throw new JackfieldError("FILE_FAILED", `Cannot ${operation} "${path}": ${why}`, {
      cause,
      operation,
      osCode: osCodeOf(cause),
    });
  }
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "the system does not permit it",
  EDQUOT: "the disk quota is used up",
  EISDIR: "it is a directory",
  ELOOP: "too many symbolic links",
  EMFILE: "no file descriptor is left",
  ENAMETOOLONG: "its name is too long",
  ENOENT: "it does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a directory",
  EROFS: "the file system is read-only",
};
