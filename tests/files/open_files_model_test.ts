// The open files against a model: what each use must read, and how many descriptors there are.
import { assert, assertEquals } from "@std/assert";
import { renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import type { ServedFile } from "../../src/files/mod.ts";
import { isJackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { type Dice, settle, withSeeds } from "../support/seeds.ts";
import { type Folder, silentFiles, textOf, watchedFiles, withRoot } from "./tools.ts";

const SEEDS = [1, 2, 3, 4, 5, 6];
const NAMES = ["a", "b", "folder/c", "folder/d"];
const MAX_OPEN = 6;

/** Files that take their time, each operation as long as the dice say. */
function slowFiles(dice: Dice): ReturnType<typeof watchedFiles> {
  return watchedFiles(async (_, run) => {
    for (let turns = dice.below(4); turns > 0; turns--) await Promise.resolve();
    return await run();
  });
}

/** Puts versions of files in place; each has its own length and time, and tells which it is. */
class Versions {
  /** The version at each name now. */
  readonly now = new Map<string, string>();
  #folder: Folder;
  #count = 0;

  constructor(folder: Folder) {
    this.#folder = folder;
    folder.write("root/folder/.keep", "");
  }

  change(name: string, dice: Dice): void {
    const path = this.#folder.at(`root/${name}`);
    const version = ++this.#count;
    const content = `${name} ${version}`;
    const write = (to: string) => {
      writeFileSync(to, content);
      utimesSync(to, version, version);
    };
    switch (dice.below(4)) {
      case 0: // in place
        write(path);
        break;
      case 1: // by another file
        write(this.#folder.at("new"));
        renameSync(this.#folder.at("new"), path);
        break;
      case 2:
        rmSync(path, { force: true });
        write(path);
        break;
      case 3:
        rmSync(path, { force: true });
        this.now.delete(name);
        return;
    }
    this.now.set(name, content);
  }
}

for (
  const [kind, filesOf] of [["quick", undefined], ["silent", () => silentFiles], [
    "slow",
    slowFiles,
  ]] as const
) {
  test(`FileRoot shares, bounds and closes descriptors as its model does, ${kind} files`, () =>
    withSeeds(SEEDS, (dice) => run(dice, filesOf?.(dice))));
}

async function run(dice: Dice, files: ReturnType<typeof watchedFiles> | undefined): Promise<void> {
  await withRoot(async (root, folder) => {
    const versions = new Versions(folder);
    const held: { file: ServedFile; content: string }[] = [];
    const distinct = () => new Set(held.map(({ content }) => content)).size;
    for (let step = 0; step < 300; step++) {
      const action = dice.below(10);
      if (action < 2) {
        const name = dice.oneOf(NAMES);
        versions.change(name, dice);
        continue;
      }
      if (action < 5) {
        const index = dice.below(held.length);
        for (const { file } of held.splice(index, 1)) {
          file.release();
          if (dice.below(2) === 0) file.release();
        }
      } else {
        const names = Array.from({ length: 1 + dice.below(4) }, () => dice.oneOf(NAMES));
        const open = new Set(held.map(({ content }) => content));
        const wanted = new Set(names.flatMap((name) => versions.now.get(name) ?? []));
        const added = [...wanted].filter((content) => !open.has(content));
        const results = await Promise.allSettled(names.map((name) => root.find(`/${name}`)));
        for (const [index, result] of results.entries()) {
          const expected = versions.now.get(names[index]!);
          if (result.status === "rejected") {
            assert(isJackfieldError(result.reason, "FILE_FAILED"), String(result.reason));
            assertEquals(result.reason.osCode, "EMFILE");
            assert(open.size + added.length > MAX_OPEN, "there was room");
            assert(!open.has(expected!), "it was open");
          } else if (result.value.kind === "file") {
            const { file } = result.value;
            held.push({ file, content: expected! });
            assertEquals(await textOf(file), expected);
          } else {
            assertEquals([result.value.kind, expected], ["missing", undefined]);
          }
        }
      }
      await settle();
      assertEquals(root.openFiles, distinct(), `step ${step}`);
      assertEquals(folder.descriptors() ?? distinct(), distinct(), `step ${step}`);
      assert(distinct() <= MAX_OPEN);
    }
    for (const { file } of held) file.release();
  }, { maxOpenFiles: MAX_OPEN, ...(files === undefined ? {} : { files }) });
}
