import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { linkSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { isSameVersion, versionOf } from "../../src/files/file_version.ts";
import { isEntityTag } from "../../src/http/mod.ts";
import type { FileFacts } from "../../src/transport/mod.ts";
import { test } from "../harness.ts";
import { findFile, withRoot } from "./tools.ts";

test("ServedFile has a weak tag and no time while the file is less than 2 s old", () => {
  let nowMs = 0;
  return withRoot(async (root, folder) => {
    folder.write("root/a", "young");
    utimesSync(folder.at("root/a"), 5000, 5000);
    const validators = async (ageMs: number) => {
      nowMs = 5_000_000 + ageMs;
      const { entityTag, modifiedMs, release: _ } = await look();
      return [entityTag.startsWith("W/"), modifiedMs];
    };
    const look = async () => {
      const file = await findFile(root, "/a");
      file.release();
      return file;
    };
    assertEquals(await validators(0), [true, undefined]);
    assertEquals(await validators(1999), [true, undefined]);
    assertEquals(await validators(2000), [false, 5_000_000]);
    assertEquals(await validators(1e9), [false, 5_000_000]);
    assertEquals(await validators(-1000), [true, undefined]); // from the future: it may be set back
    nowMs = 5_000_000;
    const young = await findFile(root, "/a");
    nowMs = 5_002_000;
    const old = await findFile(root, "/a"); // shares the descriptor
    assertEquals(young.entityTag, `W/${old.entityTag}`);
    assertEquals([young.modifiedMs, old.modifiedMs], [undefined, 5_000_000]);
    assertEquals(root.openFiles, 1);
    young.release();
    old.release();
  }, { nowMs: () => nowMs });
});

test("ServedFile has the same strong tag each time, and another one for each version", () =>
  withRoot(async (root, folder) => {
    const tags = new Set<string>();
    const tagOf = async (path: string) => {
      const file = await findFile(root, path);
      file.release();
      assertEquals(
        (await findFile(root, path).then((same) => (same.release(), same))).entityTag,
        file.entityTag,
      );
      assert(isEntityTag(file.entityTag), file.entityTag);
      assertMatch(file.entityTag, /^"\d+-[\w-]{18}"$/);
      return file.entityTag;
    };
    folder.write("root/a", "12345");
    tags.add(await tagOf("/a"));
    folder.write("root/a", "1234"); // size
    tags.add(await tagOf("/a"));
    folder.age("root/a", 500); // time
    tags.add(await tagOf("/a"));
    folder.write("root/b", "1234", 500); // another file
    tags.add(await tagOf("/b"));
    renameSync(folder.at("root/b"), folder.at("root/a"));
    tags.add(await tagOf("/a"));
    assert(tags.size >= 4, [...tags].join());
    linkSync(folder.at("root/a"), folder.at("root/c"));
    assertEquals(await tagOf("/a"), await tagOf("/c"));
    writeFileSync(folder.at("root/empty"), "");
    utimesSync(folder.at("root/empty"), 1, 1);
    assertMatch(await tagOf("/empty"), /^"0-/);
  }));

test("versionOf() differs whenever one of its facts does, and does not show them", () => {
  const number = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const facts = fc.record({
    device: number,
    inode: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    size: fc.nat(),
    modifiedNs: number,
    changedNs: number,
  });
  const version = (some: object) => versionOf(some as FileFacts);
  fc.assert(
    fc.property(
      facts,
      facts,
      fc.constantFrom("device", "inode", "size", "modifiedNs", "changedNs"),
      (one, other, name) => {
        const changed = { ...one, [name]: other[name as "size"] };
        const isSame = isSameVersion(one as FileFacts, changed as FileFacts);
        assertEquals(version(one) === version(changed), isSame);
        assertEquals(version(one), version({ ...one }));
      },
    ),
    { numRuns: 2000 },
  );
  const base = { device: 65024n, inode: 2260995n, size: 5, modifiedNs: 1n, changedNs: 1n };
  const seen = new Set<string>();
  for (let step = 0n; step < 20_000n; step++) {
    seen.add(version({ ...base, modifiedNs: 1_795_283_393_000_000_000n + step }));
    seen.add(version({ ...base, inode: base.inode + step }));
  }
  assertEquals(seen.size, 40_000);
  assert(!/2260995|65024/.test(version(base)));
});
