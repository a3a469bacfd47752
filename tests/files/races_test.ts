// Somebody swaps folders, files and links as fast as he can while others ask for files.
import { assert, assertEquals } from "@std/assert";
import { spawn } from "node:child_process";
import { renameSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { FileRoot } from "../../src/files/mod.ts";
import { type Files, systemClock } from "../../src/transport/mod.ts";
import { runtime, test } from "../harness.ts";
import {
  files,
  type Folder,
  noFifo,
  silentFiles,
  summary,
  watchedFiles,
  withRoot,
} from "./tools.ts";

const SWAPPER = fileURLToPath(new URL("swapper.ts", import.meta.url));
/** How long each race takes: long enough for hundreds of swaps. */
const RACE_MS = Number(process.env.JACKFIELD_RACE_MS ?? 150);
/** And how long at most, where what must come up has not come up yet. */
const MAX_RACE_MS = 20_000;

/** Systems whose kernel says what is open, and others. */
const KERNELS = [["", files], [", where the kernel says nothing", silentFiles]] as const;

/** Do something over and over while two names below `root` are swapped, until all of it was seen. */
async function whileSwapping(
  folder: Folder,
  one: string,
  other: string,
  act: () => Promise<void>,
  seen: () => boolean = () => true,
): Promise<void> {
  const args = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
  const child = spawn(process.execPath, [...args, SWAPPER, folder.at("root"), one, other], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  try {
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const start = performance.now();
    const isOver = () => performance.now() - start > (seen() ? RACE_MS : MAX_RACE_MS);
    while (!isOver()) await act();
    assertEquals(child.exitCode, null, "the swapper has ended too early");
  } finally {
    child.stdin.end();
    child.kill("SIGKILL");
    await ended;
  }
}

/** Swap two names below `root`. */
function swap(folder: Folder, one: string, other: string): void {
  renameSync(folder.at(`root/${one}`), folder.at("between"));
  renameSync(folder.at(`root/${other}`), folder.at(`root/${one}`));
  renameSync(folder.at("between"), folder.at(`root/${other}`));
}

/** How often each answer came. */
async function count(words: Map<string, number>, root: FileRoot, path: string): Promise<void> {
  const word = await summary(await root.find(path));
  words.set(word, (words.get(word) ?? 0) + 1);
}

for (
  const [kernel, ofKernel] of [["", files], [", whatever the kernel says", silentFiles]] as const
) {
  for (const symlinks of ["inside", "never"] as const) {
    test(`FileRoot.find() serves nothing from outside while a folder and a link are swapped, symlinks: ${symlinks}${kernel}`, () =>
      withRoot(async (root, folder) => {
        folder.write("outside/a", "secret");
        folder.write("root/folder/a", "inside");
        folder.link("../outside", "root/link");
        const words = new Map<string, number>();
        await whileSwapping(folder, "folder", "link", async () => {
          await count(words, root, "/folder/a");
          await count(words, root, "/link/a");
        }, () => saw(words, ofKernel));
        assertSafe(words, ofKernel);
      }, { symlinks, files: ofKernel, clock: systemClock }));

    test(`FileRoot.find() serves nothing from outside while a file and a link are swapped, symlinks: ${symlinks}${kernel}`, () =>
      withRoot(async (root, folder) => {
        folder.write("outside", "secret");
        folder.write("root/file", "inside");
        folder.link("../outside", "root/link");
        const words = new Map<string, number>();
        await whileSwapping(folder, "file", "link", async () => {
          await count(words, root, "/file");
          await count(words, root, "/link");
        }, () => saw(words, ofKernel));
        assertSafe(words, ofKernel);
      }, { symlinks, files: ofKernel, clock: systemClock }));
  }
}

/** Whether every answer came that must come. */
function saw(words: ReadonlyMap<string, number>, ofKernel: Files): boolean {
  return words.has("missing") && (ofKernel !== files || words.has("file inside"));
}

/** Where each of many rounds must meet the file, it is hardly ever found while it is swapped. */
function assertSafe(words: ReadonlyMap<string, number>, ofKernel: Files): void {
  const seen = [...words.keys()].filter((word) => ofKernel === files || word !== "file inside");
  const expected = ofKernel === files ? ["file inside", "missing"] : ["missing"];
  assertEquals(seen.sort(), expected, JSON.stringify([...words]));
}

for (const [kernel, ofKernel] of KERNELS) {
  for (const symlinks of ["inside", "never"] as const) {
    test(`FileRoot.find() serves nothing from outside, whichever operations a swap falls between, symlinks: ${symlinks}${kernel}`, async () => {
      let number = 0;
      let swaps: readonly number[] = [];
      let act = () => {};
      const watched = watchedFiles((_, run) => {
        if (swaps.includes(number++)) act();
        return run();
      }, ofKernel);
      await withRoot(async (root, folder) => {
        folder.write("outside/a", "secret");
        folder.write("outside/index/index.html", "secret");
        folder.write("outside/secret", "secret");
        folder.write("root/folder/a", "inside");
        folder.write("root/folder/index/index.html", "inside");
        folder.link("../outside", "root/link");
        act = () => swap(folder, "folder", "link");
        for (const path of ["/folder/a", "/folder/index/", "/folder/", "/link/a"]) {
          const words = new Set<string>();
          const find = async (at: readonly number[]) => {
            [swaps, number] = [at, 0];
            const word = await summary(await root.find(path));
            const count = number;
            for (const missed of at) if (missed >= count) act();
            if (at.length % 2 === 1) act(); // Back to where it was.
            assert(!word.includes("secret"), `${path}, swapped before ${at}: ${word}`);
            words.add(word);
            return count;
          };
          const count = await find([]);
          // Where names are compared, all rounds are alike.
          for (let first = 0; first < Math.min(count, 30); first++) {
            await find([first]);
            for (let second = first + 1; second < Math.min(count, 30); second++) {
              await find([first, second]);
              for (let third = second + 1; third < Math.min(count, 10); third++) {
                await find([first, second, third]);
              }
            }
          }
          assert(words.has("missing") && words.size > 1, `${path}: ${[...words]}`);
        }
      }, { symlinks, files: watched, directories: "list" });
    });
  }
}

test("FileRoot.find() shares no descriptor with the wrong file while two are swapped", () =>
  withRoot(async (root, folder) => {
    folder.write("root/one", "1");
    folder.write("root/other", "2");
    let shared = 0;
    await whileSwapping(folder, "one", "other", async () => {
      const found = await Promise.all(
        ["/one", "/one", "/other", "/one"].map((path) => root.find(path)),
      );
      for (const one of found) {
        if (one.kind !== "file") continue;
        const bytes = new Uint8Array(1);
        await one.file.read(bytes, 0);
        const { inode } = one.file.facts;
        const [content, number] = numbers.get(inode) ?? [bytes[0], inode];
        numbers.set(inode, [content!, number]);
        assertEquals([bytes[0], inode], [content, number]);
        if (root.openFiles < found.length) shared++;
      }
      for (const one of found) if (one.kind === "file") one.file.release();
    }, () => shared > 0 && numbers.size === 2);
    assert(shared > 0);
    assertEquals(numbers.size, 2);
  }));

/** Which byte each file holds. */
const numbers = new Map<bigint, [content: number, inode: bigint]>();

test(
  "FileRoot.find() does not wait for a named pipe that takes a file's place",
  { skip: noFifo },
  () =>
    withRoot(async (root, folder) => {
      folder.write("root/file", "inside");
      folder.fifo("root/pipe");
      const words = new Map<string, number>();
      await whileSwapping(
        folder,
        "file",
        "pipe",
        () => count(words, root, "/file"),
        () => saw(words, files),
      );
      assertEquals([...words.keys()].sort(), ["file inside", "missing"]);
    }),
);

for (const [kernel, ofKernel] of KERNELS) {
  for (const symlinks of ["inside", "never"] as const) {
    test(`FileRoot.find() lists nothing from outside while a folder and a link are swapped, symlinks: ${symlinks}${kernel}`, () =>
      withRoot(async (root, folder) => {
        folder.write("outside/secret", "secret");
        folder.write("root/folder/a", "inside");
        folder.link("../outside", "root/link");
        const words = new Map<string, number>();
        const isListed = () => ofKernel !== files || words.has("listing a");
        await whileSwapping(
          folder,
          "folder",
          "link",
          () => count(words, root, "/folder/"),
          isListed,
        );
        for (const word of words.keys()) assert(!word.includes("secret"), word);
        if (ofKernel === files) assert(words.has("listing a"), JSON.stringify([...words]));
      }, { symlinks, files: ofKernel, directories: "list", clock: systemClock }));
  }
}
