// Each operation of the system fails in its turn: nothing stays open, and the next one works.
import { assert, assertEquals } from "@std/assert";
import { mkdirSync } from "node:fs";
import {
  FileRoot,
  type FileRootOptions,
  type Found,
  type ServedFile,
} from "../../src/files/mod.ts";
import { type Files, isJackfieldError, JackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { settle } from "../support/seeds.ts";
import { Folder, summary, watchedFiles } from "./tools.ts";

/** Files whose operation number `failing` fails; it counts from 0. */
function failingFiles(failing: number, osCode: string): { files: Files; failed: () => string } {
  let number = 0;
  let failed = "";
  const files = watchedFiles(async (operation, run) => {
    if (number++ !== failing) return await run();
    failed = operation;
    if (operation.endsWith(".close")) await run(); // The system closes even if it complains.
    throw new JackfieldError("FILE_FAILED", `Cannot ${operation}: fault`, { operation, osCode });
  });
  return { files, failed: () => failed };
}

type Scenario = (root: FileRoot, use: (found: Found) => ServedFile | undefined) => Promise<unknown>;

const SCENARIOS:
  readonly (readonly [name: string, options: Partial<FileRootOptions>, run: Scenario])[] = [
    ["a file is found", {}, async (root, use) => {
      const file = use(await root.find("/folder/a"));
      await file?.read(new Uint8Array(10), 0);
      await file?.isUnchanged();
    }],
    ["a file behind a link is found", {}, async (root, use) => use(await root.find("/link"))],
    [
      "a file is found without links",
      { symlinks: "never" },
      async (root, use) => use(await root.find("/folder/a")),
    ],
    ["a file is found by many", {}, async (root, use) => {
      const results = await Promise.allSettled(
        [1, 2, 3].map(async () => use(await root.find("/folder/a"))),
      );
      for (const result of results) if (result.status === "rejected") throw result.reason;
    }],
    ["an index file is found", {}, async (root, use) => use(await root.find("/index/"))],
    ["a folder is listed", { directories: "list" }, async (root, use) => use(await root.find("/"))],
    ["a compressed neighbour is opened", {}, async (root, use) => {
      const file = use(await root.find("/folder/a"));
      const [coded] = await file!.coded([["br", ".br"], ["gzip", ".gz"]]);
      use({ kind: "file", file: await coded!.open() });
    }],
    ["a digest is computed", {}, async (root, use) => {
      const file = use(await root.find("/folder/a"));
      await file!.digest("sha-256");
    }],
    ["digests are waited for", { maxDigests: 1 }, async (root, use) => {
      const files = [use(await root.find("/folder/a"))!, use(await root.find("/index/"))!];
      const digests = files.flatMap((file) => [file.digest("sha-256"), file.digest("sha-512")]);
      for (const digest of await Promise.allSettled(digests)) {
        if (digest.status === "rejected") throw digest.reason;
      }
    }],
  ];

for (const osCode of ["EIO", "EMFILE"]) {
  for (const [name, options, run] of SCENARIOS) {
    test(`FileRoot leaves nothing open when ${name} and any operation fails with ${osCode}`, async () => {
      const folder = new Folder();
      try {
        mkdirSync(folder.at("root"));
        folder.write("root/folder/a", "content");
        folder.write("root/folder/a.gz", "compressed");
        folder.write("root/index/index.html", "index");
        folder.link("folder/a", "root/link");
        const operations = new Set<string>();
        for (let failing = 0;; failing++) {
          const { files, failed } = failingFiles(failing, osCode);
          const told: unknown[] = [];
          const root = new FileRoot({
            root: folder.at("root"),
            files,
            onError: (error) => told.push(error),
            ...options,
          });
          const held: ServedFile[] = [];
          let error: unknown;
          try {
            await run(root, (found) => {
              if (found.kind !== "file") return undefined;
              held.push(found.file);
              return found.file;
            });
          } catch (cause) {
            error = cause;
          }
          for (const file of held) file.release();
          await settle();
          const when = `${failed()}, operation ${failing}`;
          assertEquals([root.openFiles, folder.descriptors() ?? 0], [0, 0], when);
          if (failed() === "") {
            assertEquals(error, undefined);
            break;
          }
          operations.add(failed());
          if (error !== undefined) {
            assert(isJackfieldError(error, "FILE_FAILED"), `${when}: ${error}`);
            assertEquals(error.osCode, osCode, when);
          } else if (failed() === "file.close") {
            assertEquals(told.length, 1, when);
          }
          // The fault is over.
          assertEquals(await summary(await root.find("/folder/a")), "file content", when);
        }
        assert(operations.has("lookUp"), [...operations].join());
      } finally {
        folder.remove();
      }
    });
  }
}

test("FileRoot.find() is missing, and closes what it opened, for whatever may not be opened", async () => {
  const codes = [
    "EACCES",
    "EINVAL",
    "ELOOP",
    "ENAMETOOLONG",
    "ENODEV",
    "ENOENT",
    "ENOTDIR",
    "ENXIO",
    "EPERM",
  ];
  const folder = new Folder();
  try {
    folder.write("root/a", "content");
    for (const osCode of codes) {
      for (const operation of ["lookUp", "open", "file.stat", "file.realPath"]) {
        const files = watchedFiles((name, run) => {
          if (name !== operation) return run();
          throw new JackfieldError("FILE_FAILED", "Cannot do it", { osCode });
        });
        const root = new FileRoot({ root: folder.at("root"), files });
        assertEquals(await summary(await root.find("/a")), "missing", `${operation} ${osCode}`);
        assertEquals([root.openFiles, folder.descriptors() ?? 0], [0, 0]);
      }
    }
  } finally {
    folder.remove();
  }
});
