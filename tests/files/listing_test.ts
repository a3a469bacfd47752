import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { test } from "../harness.ts";
import { noFifo, summary, withRoot } from "./tools.ts";

test("FileRoot.find() lists folders before files, each by name, with what is known of them", () =>
  withRoot(async (root, folder) => {
    for (const name of ["b", "a", "B", "ä", "a b", "10", "9"]) folder.write(`root/f/${name}`, name);
    for (const name of ["z", "Z"]) mkdirSync(folder.at(`root/f/${name}`));
    const found = await root.find("/f/");
    assert(found.kind === "listing");
    assertEquals([found.path, found.isCut], ["/f/", false]);
    const names = found.entries.map(({ name, kind }) => kind === "directory" ? `${name}/` : name);
    assertEquals(names, ["Z/", "z/", "10", "9", "B", "a", "a b", "b", "ä"]);
    const entry = found.entries.find(({ name }) => name === "a b")!;
    assertEquals([entry.kind, entry.size], ["file", 3]);
    assertEquals(Math.round((Date.now() - entry.modifiedMs) / 10_000), 10);
  }, { directories: "list" }));

test(
  "FileRoot.find() lists nothing that it would not serve",
  { skip: noFifo },
  () =>
    withRoot(async (root, folder) => {
      folder.write("outside/secret", "secret");
      folder.write("root/seen", "seen");
      folder.write("root/.hidden", "hidden");
      folder.write("root/a\\b", "unservable");
      folder.fifo("root/pipe");
      folder.link("../outside", "root/out");
      folder.link("../outside/secret", "root/secret");
      folder.link("nowhere", "root/broken");
      folder.link("loop", "root/loop");
      folder.link("seen", "root/in");
      // A name that is no UTF-8, and so nothing that can be asked for.
      spawnSync("sh", ["-c", `printf x > "$1/$(printf '\\377a')"`, "sh", folder.at("root")]);
      assertEquals(readdirSync(folder.at("root")).length, 10);
      assertEquals(await summary(await root.find("/")), "listing in seen");
      for (const name of ["in", "seen"]) {
        assertEquals(await summary(await root.find(`/${name}`)), "file seen");
      }
    }, { directories: "list" }),
);

test("FileRoot.find() looks at no more names than it may, and says so", async () => {
  for (const [maxListed, listed, isCut] of [[0, 0, true], [9, 9, true], [10, 10, false]] as const) {
    await withRoot(async (root, folder) => {
      for (let index = 0; index < 10; index++) folder.write(`root/${index}`, "");
      const found = await root.find("/");
      assert(found.kind === "listing");
      assertEquals([found.entries.length, found.isCut], [listed, isCut]);
      const names = found.entries.map(({ name }) => name);
      assertEquals(names, names.toSorted());
    }, { directories: "list", maxListed });
  }
});

test("FileRoot.find() lists an empty root and an empty folder", () =>
  withRoot(async (root, folder) => {
    mkdirSync(folder.at("root/empty"));
    const found = await root.find("/empty/");
    assertEquals(found, { kind: "listing", path: "/empty/", entries: [], isCut: false });
    assertEquals(await summary(await root.open("")), "listing empty");
  }, { directories: "list" }));
