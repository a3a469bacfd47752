import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { renameSync, truncateSync, writeFileSync } from "node:fs";
import type { FileDigestAlgorithm, Files } from "../../src/transport/mod.ts";
import { isJackfieldError, JackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { findFile, type Folder, watchedFiles, withRoot } from "./tools.ts";

const ALGORITHMS = ["sha-256", "sha-512"] as const;
/** Nothing is remembered of a file that changed just now, so the tests live a little later. */
const LATER = { nowMs: () => Date.now() + 10_000 };

function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + seed) >>> 3;
  return bytes;
}

function expected(algorithm: FileDigestAlgorithm, bytes: Uint8Array): string {
  return createHash(algorithm.replace("-", "")).update(bytes).digest("hex");
}

function hexOf(digest: Uint8Array): string {
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The runtime's files, with a hand on how long each digest takes. */
function heldFiles(): { files: Files; begun: () => number; release: () => void } {
  let begun = 0;
  let release: () => void;
  const released = new Promise<void>((resolve) => release = resolve);
  const files = watchedFiles(async (operation, run) => {
    if (operation === "file.digest") {
      begun++;
      await released;
    }
    return await run();
  });
  return { files, begun: () => begun, release: release! };
}

test("ServedFile.digest() is right for files of every size around its pieces", () =>
  withRoot(async (root, folder) => {
    const sizes = [0, 1, 63, 64, 65_536, 131_072, 131_073, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 - 1];
    for (const size of sizes) {
      const bytes = bytesOf(size, size);
      folder.write(`root/${size}`, bytes);
      const file = await findFile(root, `/${size}`);
      for (const algorithm of ALGORITHMS) {
        const digest = await file.digest(algorithm);
        assertEquals(hexOf(digest), expected(algorithm, bytes), `${algorithm} of ${size}`);
      }
      file.release();
    }
  }));

test("ServedFile.digest() of many large files at once", () =>
  withRoot(async (root, folder) => {
    const contents = Array.from({ length: 12 }, (_, index) => bytesOf(1_200_000 + index, index));
    contents.forEach((bytes, index) => folder.write(`root/${index}`, bytes));
    await Promise.all(contents.flatMap((bytes, index) =>
      ALGORITHMS.map(async (algorithm) => {
        const file = await findFile(root, `/${index}`);
        assertEquals(hexOf(await file.digest(algorithm)), expected(algorithm, bytes));
        file.release();
      })
    ));
  }, { maxDigests: 5 }));

test("ServedFile.digest() is computed once for all who ask, and remembered", async () => {
  const { files, begun, release } = heldFiles();
  await withRoot(async (root, folder) => {
    const bytes = bytesOf(1000, 1);
    folder.write("root/a", bytes);
    const uses = await Promise.all([1, 2, 3].map(() => findFile(root, "/a")));
    const asked = Promise.all(uses.map((file) => file.digest("sha-256")));
    await settle();
    release();
    for (const digest of await asked) assertEquals(hexOf(digest), expected("sha-256", bytes));
    assertEquals(begun(), 1);
    const [first] = uses;
    (await first!.digest("sha-256")).fill(0); // Whoever writes into his copy spoils no other's.
    assertEquals(hexOf(await first!.digest("sha-256")), expected("sha-256", bytes));
    assertEquals(begun(), 1);
    await first!.digest("sha-512");
    assertEquals(begun(), 2);
    for (const file of uses) file.release();
    const again = await findFile(root, "/a");
    assertEquals(hexOf(await again.digest("sha-256")), expected("sha-256", bytes));
    assertEquals(begun(), 2);
    again.release();
    folder.write("root/a", bytesOf(1000, 2), 50);
    const changed = await findFile(root, "/a");
    assertEquals(hexOf(await changed.digest("sha-256")), expected("sha-256", bytesOf(1000, 2)));
    assertEquals(begun(), 3);
    changed.release();
  }, { ...LATER, files });
});

test("ServedFile.digest() is not remembered while the file has only just changed", async () => {
  const { files, begun, release } = heldFiles();
  release();
  await withRoot(async (root, folder) => {
    folder.write("root/a", "text"); // An old time of modification, but it was put back just now.
    const file = await findFile(root, "/a");
    await file.digest("sha-256");
    await file.digest("sha-256");
    assertEquals(begun(), 2);
    file.release();
  }, { files });
});

test("ServedFile.digest() computes no more at once than it may, each in its turn", async () => {
  const { files, begun, release } = heldFiles();
  await withRoot(async (root, folder) => {
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) folder.write(`root/${name}`, name);
    const uses = await Promise.all(names.map((name) => findFile(root, `/${name}`)));
    const asked = Promise.all(uses.map((file) => file.digest("sha-256")));
    await settle();
    assertEquals(begun(), 2);
    release();
    assertEquals(
      (await asked).map(hexOf),
      names.map((name) => expected("sha-256", new TextEncoder().encode(name))),
    );
    for (const file of uses) file.release();
  }, { files, maxDigests: 2 });
});

test("ServedFile.digest() ends with the caller's signal, and nobody else's", async () => {
  const { files, begun, release } = heldFiles();
  await withRoot(async (root, folder) => {
    for (const name of ["a", "b"]) folder.write(`root/${name}`, name);
    const [a, b] = [await findFile(root, "/a"), await findFile(root, "/b")];
    const [stopA, stopB] = [new AbortController(), new AbortController()];
    const given = a.digest("sha-256", stopA.signal);
    const kept = a.digest("sha-256");
    const waiting = b.digest("sha-256", stopB.signal);
    await settle();
    assertEquals(begun(), 1);
    stopA.abort(new Error("enough"));
    stopB.abort(new Error("of this"));
    await assertRejects(() => given, Error, "enough");
    await assertRejects(() => waiting, Error, "of this");
    await assertRejects(() => b.digest("sha-256", stopB.signal), Error, "of this");
    const anew = b.digest("sha-256");
    release();
    assertEquals(hexOf(await kept), expected("sha-256", new TextEncoder().encode("a")));
    assertEquals(hexOf(await anew), expected("sha-256", new TextEncoder().encode("b")));
    assertEquals(begun(), 2);
    a.release();
    b.release();
  }, { files, maxDigests: 1 });
});

test("ServedFile.digest() begins anew for who asks when all others have left", async () => {
  const { files, begun, release } = heldFiles();
  await withRoot(async (root, folder) => {
    folder.write("root/a", "text");
    const file = await findFile(root, "/a");
    const stop = new AbortController();
    const left = file.digest("sha-256", stop.signal);
    await settle();
    stop.abort(new Error("enough"));
    await assertRejects(() => left, Error, "enough");
    const asked = file.digest("sha-256");
    await settle();
    release();
    assertEquals(hexOf(await asked), expected("sha-256", new TextEncoder().encode("text")));
    assertEquals(begun(), 2);
    file.release();
  }, { files });
});

test("ServedFile.digest() stops reading when nobody wants it any more", async () => {
  const seen: unknown[] = [];
  const files = watchedFiles(async (operation, run) => {
    if (operation !== "file.digest") return await run();
    return await run().catch((error) => {
      seen.push(error);
      throw error;
    });
  });
  await withRoot(async (root, folder) => {
    folder.write("root/a", bytesOf(8_000_000, 1));
    const file = await findFile(root, "/a");
    const stop = new AbortController();
    const asked = file.digest("sha-256", stop.signal);
    await settle();
    stop.abort(new Error("enough"));
    file.release();
    await assertRejects(() => asked, Error, "enough");
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals((seen[0] as Error).name, "AbortError");
  }, { files });
});

/** What is done to the file while its digest is computed. */
const CHANGES: readonly (readonly [what: string, code: string, act: (folder: Folder) => void])[] = [
  ["is written anew", "FILE_CHANGED", (folder) => folder.write("root/a", bytesOf(5000, 9), 50)],
  ["is cut", "FILE_FAILED", (folder) => truncateSync(folder.at("root/a"), 100)],
  ["grows", "FILE_CHANGED", (folder) => writeFileSync(folder.at("root/a"), bytesOf(6000, 1))],
];

for (const [what, code, act] of CHANGES) {
  test(`ServedFile.digest() rejects with ${code} when the file ${what} meanwhile`, async () => {
    const { files, release } = heldFiles();
    await withRoot(async (root, folder) => {
      folder.write("root/a", bytesOf(5000, 1));
      const file = await findFile(root, "/a");
      const asked = file.digest("sha-256");
      await settle();
      act(folder);
      release();
      const error = await assertRejects(() => asked, JackfieldError);
      assertEquals(error.code, code);
      const again = await assertRejects(() => file.digest("sha-256"), JackfieldError);
      assert(isJackfieldError(again), String(again));
      file.release();
      const fresh = await findFile(root, "/a");
      assertEquals((await fresh.digest("sha-256")).byteLength, 32);
      fresh.release();
    }, { ...LATER, files });
  });
}

test("ServedFile.digest() is that of the old content when another file takes its place", async () => {
  const { files, release } = heldFiles();
  await withRoot(async (root, folder) => {
    folder.write("root/a", bytesOf(5000, 1));
    const file = await findFile(root, "/a");
    const asked = file.digest("sha-256");
    await settle();
    folder.write("root/b", bytesOf(5000, 2));
    renameSync(folder.at("root/b"), folder.at("root/a"));
    release();
    assertEquals(hexOf(await asked), expected("sha-256", bytesOf(5000, 1)));
    file.release();
    const fresh = await findFile(root, "/a");
    assertEquals(hexOf(await fresh.digest("sha-256")), expected("sha-256", bytesOf(5000, 2)));
    fresh.release();
  }, { ...LATER, files });
});
