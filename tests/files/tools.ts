// Real files in a temporary folder, a root over them, and a look at the descriptors of this process.
import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createSystemFiles, lookOfNode } from "../../src/adapters/shared/system_files.ts";
import {
  FileRoot,
  type FileRootOptions,
  type Found,
  type ServedFile,
} from "../../src/files/mod.ts";
import { systemTransport } from "../../src/system_transport.ts";
import type { Clock, Files, OpenFile, OpenFolder } from "../../src/transport/mod.ts";
import { settle } from "../support/seeds.ts";

/** The files of the runtime. */
export const files: Files = systemTransport().host.files!;

/** Why named pipes cannot be tested here, if they cannot. */
export const noFifo: string | false = spawnSync("mkfifo", ["--version"]).error === undefined
  ? false
  : "no mkfifo";

/** A temporary folder; its path has no links. */
export class Folder {
  readonly path: string = realpathSync(mkdtempSync(join(tmpdir(), "jackfield-files-")));

  at(name: string): string {
    return join(this.path, name);
  }

  /** Write a file, and make it as old as a file that nobody has touched for a while. */
  write(name: string, content: string | Uint8Array, ageSeconds = 100): string {
    const path = this.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    this.age(name, ageSeconds);
    return path;
  }

  /** Put the time of modification back. */
  age(name: string, ageSeconds: number): void {
    const seconds = Math.floor(Date.now() / 1000) - ageSeconds;
    utimesSync(this.at(name), seconds, seconds);
  }

  link(to: string, name: string): void {
    mkdirSync(dirname(this.at(name)), { recursive: true });
    symlinkSync(to, this.at(name));
  }

  fifo(name: string): void {
    assertEquals(spawnSync("mkfifo", [this.at(name)]).status, 0);
  }

  /** How many descriptors of this process are open below; `undefined` where nobody tells. */
  descriptors(): number | undefined {
    let numbers: string[];
    try {
      numbers = readdirSync("/proc/self/fd");
    } catch {
      return undefined;
    }
    const below = numbers.filter((number) => {
      try {
        return readlinkSync(`/proc/self/fd/${number}`).startsWith(`${this.path}/`);
      } catch {
        return false; // The one that the folder was read with.
      }
    });
    return below.length;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * Run a test with a folder and a root over its `root`; afterwards nothing may be open any more.
 */
export async function withRoot(
  run: (root: FileRoot, folder: Folder) => Promise<void>,
  options: Partial<FileRootOptions> = {},
): Promise<void> {
  const folder = new Folder();
  try {
    mkdirSync(folder.at("root"));
    const root = new FileRoot({
      root: folder.at("root"),
      files,
      clock: instantClock,
      ...options,
    });
    await root.check();
    await run(root, folder);
    await settle();
    assertEquals(root.openFiles, 0, "descriptors that the root holds");
    assertEquals(folder.descriptors() ?? 0, 0, "descriptors of the process");
  } finally {
    folder.remove();
  }
}

/** Find a path that must lead to a file. */
export async function findFile(root: FileRoot, path: string): Promise<ServedFile> {
  const found = await root.find(path);
  if (found.kind !== "file") throw new Error(`Cannot find "${path}": it is ${found.kind}`);
  return found.file;
}

/** All bytes of a file as text. */
export async function textOf(file: ServedFile): Promise<string> {
  const bytes = new Uint8Array(file.facts.size + 1);
  const count = await file.read(bytes, 0);
  return new TextDecoder().decode(bytes.subarray(0, count));
}

/** What a path leads to, in one word: a file's text, a listing's names, a redirect's target. */
export async function summary(found: Found): Promise<string> {
  switch (found.kind) {
    case "file":
      try {
        return `file ${await textOf(found.file)}`;
      } finally {
        found.file.release();
      }
    case "listing":
      return `listing ${found.entries.map(({ name }) => name).join(" ")}`;
    case "redirect":
      return `redirect ${found.location}`;
    case "missing":
      return "missing";
  }
}

/** A clock on which nobody waits. */
export const instantClock: Clock = {
  now: () => performance.now(),
  schedule(_, run) {
    let isCancelled = false;
    queueMicrotask(() => isCancelled || run());
    return () => isCancelled = true;
  },
};

/** Files of a system whose kernel does not say by which path it knows what is open. */
export const silentFiles: Files = createSystemFiles({
  ...lookOfNode,
  list: async (path, maxNames) => (await readdir(path)).slice(0, maxNames),
  mayReadProc: () => false,
});

/** The runtime's files with a word to say on each operation, by its name. */
export function watchedFiles(
  watch: (operation: string, run: () => Promise<unknown>) => Promise<unknown>,
  within: Files = files,
): Files {
  const watched = <T extends object>(prefix: string, target: T): T =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function" || name === "join") return value;
        return (...args: unknown[]) =>
          watch(`${prefix}${String(name)}`, async () => {
            const result: unknown = await value.apply(target, args);
            if (name === "openFolder") return watched("folder.", result as OpenFolder);
            return name === "open" ? watched("file.", result as OpenFile) : result;
          });
      },
    });
  return watched("", within);
}
