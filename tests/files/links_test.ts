// Symbolic links, on systems whose kernel says what is open and on those where it does not.
import { assertEquals } from "@std/assert";
import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { FileRoot, type LinkRule } from "../../src/files/mod.ts";
import type { Files } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { files, Folder, instantClock, silentFiles, summary, withRoot } from "./tools.ts";

const KERNELS: readonly (readonly [name: string, files: Files])[] = [
  ["a kernel that says what is open", files],
  ["one that does not", silentFiles],
];

/** Everything that links can lead to, and what it is for each rule. */
const CASES: readonly (readonly [path: string, inside: string, follow: string])[] = [
  ["/link", "file inside", "file inside"],
  ["/chain", "file inside", "file inside"],
  ["/absolute", "file inside", "file inside"],
  ["/folder", "redirect /folder/", "redirect /folder/"],
  ["/folder/", "file inside", "file inside"],
  ["/folder/index.html", "file inside", "file inside"],
  ["/deep/er/link", "file inside", "file inside"],
  ["/deep/up/real/index.html", "file inside", "file inside"],
  ["/self/real/index.html", "file inside", "file inside"],
  ["/around/index.html", "file inside", "file inside"],
  ["/out", "missing", "file secret"],
  ["/outfolder", "missing", "redirect /outfolder/"],
  ["/outfolder/", "missing", "file secret"],
  ["/outfolder/index.html", "missing", "file secret"],
  ["/outfolder/more/index.html", "missing", "file secret"],
  ["/trap/", "listing", "file secret"],
  ["/up/secret/index.html", "missing", "file secret"],
  ["/beside/secret", "missing", "file secret"],
  ["/device", "missing", "missing"],
  ["/broken", "missing", "missing"],
  ["/loop", "missing", "missing"],
  ["/loop/a", "missing", "missing"],
  ["/up/", "missing", "listing root root-beside secret"],
];

function prepare(folder: Folder): void {
  folder.write("secret/index.html", "secret");
  folder.write("secret/more/index.html", "secret");
  folder.write("root-beside/secret", "secret");
  folder.write("root/real/index.html", "inside");
  mkdirSync(folder.at("root/trap"));
  const links: [string, string][] = [
    ["real/index.html", "link"],
    ["link", "chain"],
    [folder.at("root/real/index.html"), "absolute"],
    ["real", "folder"],
    ["../../link", "deep/er/link"],
    ["..", "deep/up"],
    [".", "self"],
    ["../root/real", "around"],
    ["../secret/index.html", "out"],
    [folder.at("secret"), "outfolder"],
    [folder.at("secret/index.html"), "trap/index.html"],
    ["..", "up"],
    ["../root-beside", "beside"],
    ["/dev/zero", "device"],
    ["nowhere", "broken"],
    ["loop", "loop"],
  ];
  for (const [to, name] of links) folder.link(to, `root/${name}`);
}

for (const [kernel, ofKernel] of KERNELS) {
  for (const symlinks of ["inside", "follow", "never"] as const) {
    test(`FileRoot.find() keeps to symlinks: ${symlinks}, with ${kernel}`, () =>
      withRoot(async (root, folder) => {
        prepare(folder);
        for (const [path, inside, follow] of CASES) {
          // Without links there is no way through them, and a folder has no index file.
          const never = path === "/trap/" ? "listing" : "missing";
          const expected = { inside, follow, never }[symlinks];
          assertEquals((await summary(await root.find(path))).trim(), expected, path);
        }
        assertEquals(await summary(await root.find("/real/index.html")), "file inside");
      }, { symlinks, files: ofKernel, directories: "list" }));
  }
}

test("FileRoot.find() lists links only as far as it follows them", async () => {
  const listed: Record<LinkRule, string> = {
    never: "listing deep real trap",
    inside: "listing around deep folder real self trap absolute chain link",
    follow: "listing around beside deep folder outfolder real self trap up absolute chain link out",
  };
  for (const symlinks of ["never", "inside", "follow"] as const) {
    await withRoot(async (root, folder) => {
      prepare(folder);
      assertEquals(await summary(await root.find("/")), listed[symlinks]);
    }, { symlinks, directories: "list" });
  }
});

for (const [kernel, ofKernel] of KERNELS) {
  test(`FileRoot.find() goes along when the root's own link leads elsewhere, with ${kernel}`, async () => {
    const folder = new Folder();
    try {
      folder.write("one/x/a", "one");
      folder.write("two/x/a", "two");
      symlinkSync("one", folder.at("root"));
      for (const symlinks of ["inside", "never"] as const) {
        const root = new FileRoot({
          root: folder.at("root"),
          files: ofKernel,
          symlinks,
          clock: instantClock,
        });
        await root.check();
        for (const to of ["one", "two", "one"]) {
          rmSync(folder.at("root"));
          symlinkSync(to, folder.at("root"));
          assertEquals(await summary(await root.find("/x/a")), `file ${to}`);
          assertEquals(await summary(await root.find("/x")), "redirect /x/");
        }
      }
    } finally {
      folder.remove();
    }
  });
}

test("FileRoot.find() sees at once when a folder becomes a link out", () =>
  withRoot(async (root, folder) => {
    folder.write("root/x/a", "inside");
    folder.write("outside/a", "secret");
    assertEquals(await summary(await root.find("/x/a")), "file inside");
    renameSync(folder.at("root/x"), folder.at("root/y"));
    folder.link("../outside", "root/x");
    assertEquals(await summary(await root.find("/x/a")), "missing");
    assertEquals(await summary(await root.find("/y/a")), "file inside");
  }));

test("FileRoot.find() serves an absolute root with a slash at its end, and a relative one", async () => {
  const folder = new Folder();
  try {
    folder.write("root/a", "inside");
    for (const symlinks of ["inside", "never"] as const) {
      const root = new FileRoot({ root: `${folder.at("root")}/`, files, symlinks });
      assertEquals(await summary(await root.find("/a")), "file inside");
    }
    const everything = new FileRoot({ root: "/", files });
    assertEquals(await summary(await everything.open(folder.at("root/a"))), "file inside");
    const relative = new FileRoot({ root: "src", files });
    assertEquals(
      (await relative.check(), await summary(await relative.find("/files"))),
      "redirect /files/",
    );
  } finally {
    folder.remove();
  }
});
