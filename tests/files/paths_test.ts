// What a path may lead to, on real files.
import { assert, assertEquals } from "@std/assert";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { FileRoot } from "../../src/files/mod.ts";
import { isJackfieldError } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { HOSTILE } from "./hostile.ts";
import { files, findFile, Folder, noFifo, summary, textOf, withRoot } from "./tools.ts";

for (const dotfiles of ["hide", "serve"] as const) {
  test(`FileRoot.find() lets no path out of the root, dotfiles: ${dotfiles}`, () =>
    withRoot(async (root, folder) => {
      folder.write("secret", "secret");
      folder.write("root-beside/secret", "secret");
      folder.write("root/folder/inside", "inside");
      folder.write("root/a", "inside");
      for (const target of HOSTILE) {
        const word = await summary(await root.find(target));
        assert(!word.includes("secret"), `${target}: ${word}`);
        assert(
          ["missing", "file inside", "listing a folder", "listing inside", "redirect /folder/"]
            .includes(word),
          `${target}: ${word}`,
        );
        const plain = await summary(await root.open(target));
        assert(!plain.includes("secret"), `${target}: ${plain}`);
      }
      const outside = `${folder.path}/secret`;
      for (const target of [outside, `/${outside}`, encodeURIComponent(outside)]) {
        assertEquals(await summary(await root.find(target)), "missing", target);
        assertEquals(await summary(await root.open(target)), "missing", target);
      }
    }, { dotfiles, directories: "list" }));
}

test("FileRoot.open() takes no step upwards in a plain path", () =>
  withRoot(async (root, folder) => {
    folder.write("secret", "secret");
    folder.write("root/a b/c%20d", "inside");
    for (
      const path of ["../secret", "a b/../../secret", "a b\\..\\..\\secret", "a b/c%20d\0", ".."]
    ) {
      assertEquals(await summary(await root.open(path)), "missing", path);
    }
    assertEquals(await summary(await root.open("a b/c%20d")), "file inside");
    assertEquals(await summary(await root.open("/a b//c%20d")), "file inside");
    assertEquals(await summary(await root.open("a%20b/c%20d")), "missing");
  }));

test("FileRoot.find() serves names of all kinds, and their paths are the plain names", () =>
  withRoot(async (root, folder) => {
    const names = [
      "a b",
      "über",
      "日本",
      "100%",
      "a+b",
      "q?x",
      "h#x",
      "a&b;c",
      "a:b",
      "x".repeat(255),
    ];
    for (const name of [...names, "a\nb", "a...", "e\u0301", "%2e%2e"]) {
      folder.write(`root/f/${name}`, name);
      const file = await findFile(root, `/f/${encodeURIComponent(name)}`);
      assertEquals([file.path, await textOf(file)], [`f/${name}`, name]);
      file.release();
    }
  }));

test("FileRoot.find() gives no file for a path that asks for a folder", () =>
  withRoot(async (root, folder) => {
    folder.write("root/a", "inside");
    assertEquals(await summary(await root.find("/a/")), "missing");
    assertEquals(await summary(await root.find("/a/b")), "missing");
    assertEquals(await summary(await root.open("a/")), "missing");
  }));

test("FileRoot.find() hides names that begin with a dot unless they are served", async () => {
  const prepare = (folder: Folder) => {
    folder.write("root/.env", "hidden");
    folder.write("root/.git/config", "hidden");
    folder.write("root/a/.b/c", "hidden");
    folder.write("root/.well-known/security.txt", "hidden");
  };
  const paths = ["/.env", "/%2eenv", "/.git/config", "/a/.b/c", "/.well-known/security.txt"];
  await withRoot(async (root, folder) => {
    prepare(folder);
    for (const path of [...paths, "/.git", "/.git/", "/a/.b/"]) {
      assertEquals(await summary(await root.find(path)), "missing", path);
      assertEquals(await summary(await root.open(path)), "missing", path);
    }
    assertEquals(await summary(await root.find("/")), "listing a");
  }, { directories: "list" });
  await withRoot(async (root, folder) => {
    prepare(folder);
    for (const path of paths) {
      assertEquals(await summary(await root.find(path)), "file hidden", path);
    }
    assertEquals(await summary(await root.find("/.git/")), "listing config");
    assertEquals(await summary(await root.find("/.")), "missing");
    assertEquals(await summary(await root.find("/..")), "missing");
  }, { dotfiles: "serve", directories: "list" });
});

test("FileRoot.find() sends whoever forgets a folder's slash to the path with one", () =>
  withRoot(async (root, folder) => {
    folder.write("root/a b/ü/index.html", "index");
    assertEquals(await summary(await root.find("/a%20b")), "redirect /a%20b/");
    assertEquals(await summary(await root.find("/a%20b/%c3%bc")), "redirect /a%20b/%C3%BC/");
    assertEquals(await summary(await root.find("//a%20b")), "redirect /a%20b/");
    assertEquals(await summary(await root.find("/a%20b/ü/")), "file index");
    assertEquals(await summary(await root.open("a b/ü")), "file index");
  }));

test("FileRoot.find() answers folders as it is told", async () => {
  const answers = async (options: Parameters<typeof withRoot>[1]) => {
    const words: string[] = [];
    await withRoot(async (root, folder) => {
      folder.write("root/with/index.html", "index");
      folder.write("root/with/other.html", "other");
      folder.write("root/without/a", "a");
      mkdirSync(folder.at("root/odd/index.html"), { recursive: true });
      for (const path of ["/", "/with/", "/without/", "/without", "/odd/"]) {
        words.push(await summary(await root.find(path)));
      }
    }, options);
    return words;
  };
  const redirect = "redirect /without/";
  assertEquals(await answers({}), ["missing", "file index", "missing", redirect, "missing"]);
  assertEquals(
    await answers({ directories: "list" }),
    ["listing odd with without", "file index", "listing a", redirect, "listing index.html"],
  );
  assertEquals(
    await answers({ directories: "list", indexFile: "other.html" }),
    ["listing odd with without", "file other", "listing a", redirect, "listing index.html"],
  );
  assertEquals(
    await answers({ directories: "none" }),
    ["missing", "missing", "missing", "missing", "missing"],
  );
});

test(
  "FileRoot.find() does not open named pipes",
  { skip: noFifo },
  () =>
    withRoot(async (root, folder) => {
      folder.fifo("root/pipe");
      folder.fifo("root/index.html");
      assertEquals(await summary(await root.find("/pipe")), "missing");
      assertEquals(await summary(await root.find("/")), "missing");
      assertEquals(await summary(await root.open("pipe")), "missing");
    }),
);

test("FileRoot.find() does not open devices, nor sockets", {
  skip: existsSync("/dev/null") ? false : "no /dev",
}, async () => {
  for (const symlinks of ["inside", "never", "follow"] as const) {
    const root = new FileRoot({ root: "/dev", files, symlinks });
    for (const path of ["/null", "/zero", "/tty", "/random", "/full"]) {
      assertEquals(await summary(await root.find(path)), "missing", path);
    }
  }
  await withRoot(async (root, folder) => {
    folder.link("/dev/zero", "root/zero");
    assertEquals(await summary(await root.find("/zero")), "missing");
    const server = createServer();
    await new Promise<void>((listening) => server.listen(folder.at("root/socket"), listening));
    assertEquals(await summary(await root.find("/socket")), "missing");
    await new Promise((closed) => server.close(closed));
  }, { symlinks: "follow" });
});

test("FileRoot.find() finds nothing while the root is gone, and all of it when it is back", () =>
  withRoot(async (root, folder) => {
    folder.write("root/a", "inside");
    renameSync(folder.at("root"), folder.at("away"));
    assertEquals(await summary(await root.find("/a")), "missing");
    assertEquals(await summary(await root.find("/")), "missing");
    renameSync(folder.at("away"), folder.at("root"));
    assertEquals(await summary(await root.find("/a")), "file inside");
    rmSync(folder.at("root"), { recursive: true });
    assertEquals(await summary(await root.find("/a")), "missing");
  }));

test("FileRoot.check() rejects when the root is not there, or no folder", async () => {
  const folder = new Folder();
  try {
    folder.write("file", "text");
    const rejected = async (name: string): Promise<unknown> => {
      try {
        await new FileRoot({ root: folder.at(name), files }).check();
      } catch (error) {
        return error;
      }
    };
    assert(isJackfieldError(await rejected("nothing"), "FILE_FAILED"));
    const error = await rejected("file");
    assert(error instanceof TypeError);
    assertEquals(
      error.message,
      `Cannot serve "${folder.at("file")}": expected a folder, found a file`,
    );
  } finally {
    folder.remove();
  }
});

test("FileRoot() refuses options that mean nothing", () => {
  const wrong: [object, string][] = [
    [{ root: "" }, 'Cannot serve root "": expected a folder'],
    [{ symlinks: "yes" }, 'Cannot use symlinks "yes": expected one of "inside", "never", "follow"'],
    [{ dotfiles: true }, 'Cannot use dotfiles "true": expected one of "hide", "serve"'],
    [{ directories: "" }, 'Cannot use directories "": expected one of "index", "list", "none"'],
    [{ indexFile: "a/b" }, 'Cannot use indexFile "a/b": expected a name'],
    [{ indexFile: ".." }, 'Cannot use indexFile "..": expected a name'],
    [{ maxOpenFiles: 0 }, 'Cannot use maxOpenFiles "0": expected at least 1'],
    [{ maxListed: NaN }, 'Cannot use maxListed "NaN": expected at least 0'],
    [{ maxDigests: 0 }, 'Cannot use maxDigests "0": expected at least 1'],
    [{ files: undefined }, "Cannot use files: the transport's host has no files"],
  ];
  for (const [options, message] of wrong) {
    let text: string | undefined;
    try {
      new FileRoot({ root: "x", files, ...options });
    } catch (error) {
      text = (error as Error).message;
    }
    assertEquals(text, message);
  }
});
