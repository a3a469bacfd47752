// Files that change while somebody reads them.
import { assert, assertEquals } from "@std/assert";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { delay, systemClock } from "../../src/transport/mod.ts";
import { runtime, test } from "../harness.ts";
import { findFile, type Folder, summary, textOf, withRoot } from "./tools.ts";

/** Write other bytes over a file's first ones, without emptying it before. */
function overwrite(path: string, text: string): void {
  const descriptor = openSync(path, "r+");
  writeSync(descriptor, text);
  closeSync(descriptor);
}

/** Overwrite, and turn the time of modification back to where it was. */
function overwriteInSecret(path: string, text: string): void {
  const { atime, mtime } = statSync(path);
  overwrite(path, text);
  utimesSync(path, atime, mtime);
}

/** What is done to `root/a`, and whether its content is still what it was. */
const CASES: readonly (readonly [what: string, isSame: boolean, act: (folder: Folder) => void])[] =
  [
    ["nothing happens to it", true, () => {}],
    ["another file is renamed into its place", true, (folder) => {
      folder.write("root/new", "other");
      renameSync(folder.at("root/new"), folder.at("root/a"));
    }],
    ["it is removed", true, (folder) => rmSync(folder.at("root/a"))],
    ["it is removed and made anew", true, (folder) => {
      rmSync(folder.at("root/a"));
      folder.write("root/a", "other");
    }],
    ["it is renamed", true, (folder) => renameSync(folder.at("root/a"), folder.at("root/b"))],
    ["it is renamed, and another is made in its place", true, (folder) => {
      renameSync(folder.at("root/a"), folder.at("root/b"));
      folder.write("root/a", "other");
    }],
    [
      "it gets another name too",
      true,
      (folder) => linkSync(folder.at("root/a"), folder.at("root/b")),
    ],
    ["its permissions change", true, (folder) => chmodSync(folder.at("root/a"), 0o600)],
    [
      "its folder is renamed",
      true,
      (folder) => renameSync(folder.at("root"), folder.at("elsewhere")),
    ],
    ["it is read", true, (folder) => void statSync(folder.at("root/a"))],
    ["it is overwritten", false, (folder) => overwrite(folder.at("root/a"), "other")],
    ["it is written anew", false, (folder) => writeFileSync(folder.at("root/a"), "other")],
    ["it grows", false, (folder) => appendFileSync(folder.at("root/a"), "more")],
    ["it is cut", false, (folder) => truncateSync(folder.at("root/a"), 2)],
    ["it is cut, and its time turned back", false, (folder) => {
      const { atime, mtime } = statSync(folder.at("root/a"));
      truncateSync(folder.at("root/a"), 2);
      utimesSync(folder.at("root/a"), atime, mtime);
    }],
    ["it grows, and its time is turned back", false, (folder) => {
      const { atime, mtime } = statSync(folder.at("root/a"));
      appendFileSync(folder.at("root/a"), "more");
      utimesSync(folder.at("root/a"), atime, mtime);
    }],
    ["its time is set", false, (folder) => utimesSync(folder.at("root/a"), 1, 1)],
    ["it is overwritten and removed", false, (folder) => {
      overwrite(folder.at("root/a"), "other");
      rmSync(folder.at("root/a"));
    }],
  ];

for (const [what, isSame, act] of CASES) {
  const verdict = isSame ? "is true" : "is false";
  test(`ServedFile.isUnchanged() ${verdict} when ${what}`, () =>
    withRoot(async (root, folder) => {
      folder.write("root/a", "first");
      const file = await findFile(root, "/a");
      act(folder);
      assertEquals(await file.isUnchanged(), isSame);
      assertEquals(await file.isUnchanged(), isSame);
      if (isSame) assertEquals(await textOf(file), "first");
      file.release();
      if (folder.descriptors() === undefined) return;
      assertEquals(folder.descriptors(), 0);
    }));
}

/** Deno tells the time of change in whole seconds: what is to be seen must be that far apart. */
async function nextChange(): Promise<void> {
  await delay(systemClock, runtime === "deno" ? 1100 - Date.now() % 1000 : 20);
}

test("ServedFile.isUnchanged() is false when the file is overwritten and its time turned back", () =>
  withRoot(async (root, folder) => {
    const path = folder.write("root/a", "first");
    await nextChange();
    const file = await findFile(root, "/a");
    await nextChange();
    overwriteInSecret(path, "other");
    assertEquals(await file.isUnchanged(), false);
    file.release();
  }));

test("ServedFile.isUnchanged() is false when that happens after a change that is none", () =>
  withRoot(async (root, folder) => {
    const path = folder.write("root/a", "first");
    await nextChange();
    const file = await findFile(root, "/a");
    chmodSync(path, 0o600);
    assertEquals(await file.isUnchanged(), true);
    await nextChange();
    overwriteInSecret(path, "other");
    assertEquals(await file.isUnchanged(), false);
    file.release();
  }));

test("ServedFile serves the old content to its end, and who comes later the new one", () =>
  withRoot(async (root, folder) => {
    folder.write("root/a", "first");
    const old = await findFile(root, "/a");
    folder.write("root/new", "second");
    renameSync(folder.at("root/new"), folder.at("root/a"));
    const fresh = await findFile(root, "/a");
    assertEquals([await textOf(old), await textOf(fresh)], ["first", "second"]);
    assert(old.entityTag !== fresh.entityTag);
    assertEquals([await old.isUnchanged(), await fresh.isUnchanged()], [true, true]);
    assertEquals(root.openFiles, 2);
    fresh.release();
    assertEquals(await textOf(old), "first");
    old.release();
  }));

test("FileRoot.find() never gives a former version of a file that is open", () =>
  withRoot(async (root, folder) => {
    const path = folder.write("root/a", "0");
    const held = [await findFile(root, "/a")];
    for (let version = 1; version < 50; version++) {
      if (version % 3 === 0) {
        folder.write("root/new", `${version}`);
        renameSync(folder.at("root/new"), path);
      } else if (version % 3 === 1) {
        writeFileSync(path, `${version}`);
        utimesSync(path, version, version);
      } else {
        rmSync(path);
        folder.write("root/a", `${version}`);
      }
      assertEquals(await summary(await root.find("/a")), `file ${version}`);
      held.push(await findFile(root, "/a"));
    }
    for (const file of held) file.release();
  }));
