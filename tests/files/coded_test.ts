import { assert, assertEquals, assertRejects } from "@std/assert";
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { JackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { findFile, noFifo, textOf, watchedFiles, withRoot } from "./tools.ts";

const CODINGS = [["br", ".br"], ["zstd", ".zst"], ["gzip", ".gz"]] as const;

test("ServedFile.coded() gives the neighbours that are there, in the order asked for", () =>
  withRoot(async (root, folder) => {
    folder.write("root/f/a.txt", "plain");
    folder.write("root/f/a.txt.gz", "gzip");
    folder.write("root/f/a.txt.br", "brotli");
    folder.write("root/f/a.br", "of another name");
    const file = await findFile(root, "/f/a.txt");
    const coded = await file.coded(CODINGS);
    assertEquals(coded.map(({ coding }) => coding), ["br", "gzip"]);
    assertEquals(root.openFiles, 1);
    const opened = await coded[1]!.open();
    assertEquals([opened.path, await textOf(opened)], ["f/a.txt.gz", "gzip"]);
    assertEquals(opened.entityTag, coded[1]!.entityTag);
    assertEquals(opened.modifiedMs, coded[1]!.modifiedMs);
    assertEquals(opened.facts.size, coded[1]!.facts.size);
    assertEquals(new Set([file, ...coded].map(({ entityTag }) => entityTag)).size, 3);
    assertEquals(await file.coded([]), []);
    file.release();
    assertEquals(await textOf(opened), "gzip");
    opened.release();
  }));

test("ServedFile.coded() leaves out what is older than the file", () =>
  withRoot(async (root, folder) => {
    const codings = async () => {
      const file = await findFile(root, "/a");
      file.release();
      return (await file.coded(CODINGS)).map(({ coding }) => coding);
    };
    folder.write("root/a", "plain", 100);
    folder.write("root/a.gz", "gzip", 101);
    assertEquals(await codings(), []);
    folder.age("root/a.gz", 100);
    assertEquals(await codings(), ["gzip"]);
    folder.age("root/a", 99);
    assertEquals(await codings(), []);
  }));

test("ServedFile.coded() leaves out everything that is no file of the root", {
  skip: noFifo,
}, async () => {
  for (const symlinks of ["inside", "never", "follow"] as const) {
    await withRoot(async (root, folder) => {
      // Younger than what they lie beside, also when a second passes in between.
      folder.write("outside", "secret", 50);
      folder.write("root/other", "other", 50);
      const neighbours: [name: string, expected: string[], act: () => void][] = [
        ["pipe", [], () => folder.fifo("root/pipe.gz")],
        ["folder", [], () => mkdirSync(folder.at("root/folder.gz"))],
        [
          "out",
          symlinks === "follow" ? ["gzip"] : [],
          () => folder.link("../outside", "root/out.gz"),
        ],
        ["in", symlinks === "never" ? [] : ["gzip"], () => folder.link("other", "root/in.gz")],
        ["broken", [], () => folder.link("nowhere", "root/broken.gz")],
        ["loop", [], () => folder.link("loop.gz", "root/loop.gz")],
      ];
      for (const [name, expected, act] of neighbours) {
        folder.write(`root/${name}`, "plain");
        act();
        const file = await findFile(root, `/${name}`);
        const coded = await file.coded(CODINGS);
        assertEquals(coded.map(({ coding }) => coding), expected, `${name}, ${symlinks}`);
        for (const one of coded) (await one.open()).release();
        file.release();
      }
    }, { symlinks });
  }
});

test("CodedFile.open() rejects with FILE_CHANGED when it is not what was described", () =>
  withRoot(async (root, folder) => {
    const acts: (() => void)[] = [
      () => rmSync(folder.at("root/a.gz")),
      () => folder.write("root/a.gz", "longer than before"),
      () => folder.age("root/a.gz", 5),
      () => {
        folder.write("root/b", "gzip");
        renameSync(folder.at("root/b"), folder.at("root/a.gz"));
      },
      () => {
        rmSync(folder.at("root/a.gz"));
        folder.link("a", "root/a.gz");
      },
    ];
    for (const act of acts) {
      rmSync(folder.at("root/a.gz"), { force: true });
      folder.write("root/a", "plain");
      folder.write("root/a.gz", "gzip");
      const file = await findFile(root, "/a");
      const [coded] = await file.coded(CODINGS);
      act();
      const error = await assertRejects(() => coded!.open(), JackfieldError);
      assertEquals(error.code, "FILE_CHANGED");
      file.release();
    }
  }));

test("ServedFile.coded() rejects when a neighbour cannot be looked at", async () => {
  let isBroken = false;
  const files = watchedFiles((operation, run) => {
    if (isBroken && operation === "lookUp") {
      throw new JackfieldError("FILE_FAILED", "Cannot look", { osCode: "EIO" });
    }
    return run();
  });
  await withRoot(async (root, folder) => {
    folder.write("root/a", "plain");
    folder.write("root/a.gz", "gzip");
    const file = await findFile(root, "/a");
    isBroken = true;
    const error = await assertRejects(() => file.coded(CODINGS), JackfieldError);
    assertEquals(error.osCode, "EIO");
    isBroken = false;
    file.release();
    chmodSync(folder.at("root/a.gz"), 0);
    assert((await file.coded(CODINGS)).length === 1); // That it cannot be read shows when it is opened.
  }, { files });
});
