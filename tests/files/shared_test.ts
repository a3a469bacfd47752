// Descriptors: shared, bounded, and given back.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { linkSync } from "node:fs";
import { isJackfieldError, JackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { findFile, summary, textOf, watchedFiles, withRoot } from "./tools.ts";

test("FileRoot.find() opens a file once for all who read it at the same time", () =>
  withRoot(async (root, folder) => {
    folder.write("root/a", "text");
    const files = await Promise.all(Array.from({ length: 100 }, () => findFile(root, "/a")));
    assertEquals(root.openFiles, 1);
    assertEquals(folder.descriptors() ?? 1, 1);
    const last = files.pop()!;
    for (const file of files) file.release();
    assertEquals(await textOf(last), "text");
    assertEquals(folder.descriptors() ?? 1, 1);
    last.release();
    assertEquals(folder.descriptors() ?? 0, 0);
  }));

test("FileRoot.find() shares a descriptor among all names of a file", () =>
  withRoot(async (root, folder) => {
    folder.write("root/a", "text");
    linkSync(folder.at("root/a"), folder.at("root/b"));
    folder.link("a", "root/c");
    const files = await Promise.all(["/a", "/b", "/c", "/%61"].map((path) => findFile(root, path)));
    assertEquals(files.map(({ path }) => path), ["a", "b", "c", "a"]);
    assertEquals(root.openFiles, 1);
    assertEquals(folder.descriptors() ?? 1, 1);
    for (const file of files) {
      assertEquals(await textOf(file), "text");
      file.release();
    }
  }));

test("ServedFile.release() counts once, and nothing can be read afterwards", () =>
  withRoot(async (root, folder) => {
    folder.write("root/a", "text");
    const one = await findFile(root, "/a");
    const other = await findFile(root, "/a");
    one.release();
    one.release();
    assertEquals(await textOf(other), "text");
    for (const use of [() => textOf(one), () => one.isUnchanged(), () => one.digest("sha-256")]) {
      const error = await assertRejects(use, JackfieldError);
      assertEquals([error.code, error.message.endsWith("it was released")], ["FILE_FAILED", true]);
    }
    other.release();
  }));

test("ServedFile.release() lets reads that are under way come to their end", () =>
  withRoot(async (root, folder) => {
    const content = new Uint8Array(4_000_000).fill(7);
    folder.write("root/a", content);
    const file = await findFile(root, "/a");
    const reads = Array.from({ length: 8 }, () => {
      const into = new Uint8Array(content.byteLength);
      return file.read(into, 0).then((count) => into.subarray(0, count));
    });
    const digest = file.digest("sha-256");
    file.release();
    // The number of a descriptor that was closed too early would go to one of these.
    const others = await Promise.all(["b", "c", "d"].map((name) => {
      folder.write(`root/${name}`, name);
      return findFile(root, `/${name}`);
    }));
    for (const read of reads) assertEquals((await read).every((byte) => byte === 7), true);
    await digest.catch((error) => assert(isJackfieldError(error, "FILE_FAILED"), String(error)));
    for (const other of others) other.release();
  }));

test("FileRoot.find() rejects with EMFILE and the limit when too many files are open", () =>
  withRoot(async (root, folder) => {
    for (const name of ["a", "b", "c"]) folder.write(`root/${name}`, name);
    const [a, b] = [await findFile(root, "/a"), await findFile(root, "/b")];
    const error = await assertRejects(() => root.find("/c"), JackfieldError);
    assertEquals([error.code, error.osCode, error.limit], ["FILE_FAILED", "EMFILE", 2]);
    assertEquals(error.message, `Cannot open "${folder.at("root/c")}": 2 files are open already`);
    // What is open already takes no descriptor more.
    assertEquals(await summary(await root.find("/a")), "file a");
    assertEquals(await summary(await root.find("/nothing")), "missing");
    a.release();
    assertEquals(await summary(await root.find("/c")), "file c");
    b.release();
  }, { maxOpenFiles: 2 }));

test("FileRoot.find() holds no more descriptors than it may, whatever is asked for at once", () =>
  withRoot(async (root, folder) => {
    for (let index = 0; index < 20; index++) folder.write(`root/${index}`, `${index}`);
    const asked = Array.from({ length: 200 }, (_, index) => root.find(`/${index % 20}`));
    const results = await Promise.allSettled(asked);
    const found = results.filter(({ status }) => status === "fulfilled");
    assertEquals(found.length, 50); // ten for each of five files
    assertEquals(root.openFiles, 5);
    assertEquals(folder.descriptors() ?? 5, 5);
    for (const result of results) {
      if (result.status === "fulfilled" && result.value.kind === "file") {
        result.value.file.release();
      }
    }
  }, { maxOpenFiles: 5 }));

test("FileRoot tells onError of a descriptor that cannot be closed", async () => {
  const told: unknown[] = [];
  const broken = watchedFiles(async (operation, run) => {
    const result = await run();
    if (operation === "file.close") throw new Error("close failed");
    return result;
  });
  await withRoot(async (root, folder) => {
    folder.write("root/a", "text");
    assertEquals(await summary(await root.find("/a")), "file text");
    await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(told, ["close failed", "file"]);
  }, {
    files: broken,
    onError(error, { stage }) {
      told.push((error as Error).message, stage);
      throw new Error("and the callback too");
    },
  });
});
