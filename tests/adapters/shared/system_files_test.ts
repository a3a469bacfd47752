import { assert, assertEquals, assertRejects } from "@std/assert";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { systemTransport } from "../../../src/system_transport.ts";
import { type Files, JackfieldError } from "../../../src/transport/mod.ts";
import { runtime, test } from "../../harness.ts";
import { Folder, noFifo, silentFiles } from "../../files/tools.ts";

const files: Files = systemTransport().host.files!;
const linux: string | false = process.platform === "linux" ? false : "needs Linux";

/** Run a test in a folder of its own, in which nothing may stay open. */
async function withFolder(run: (folder: Folder) => Promise<void>): Promise<void> {
  const folder = new Folder();
  try {
    await run(folder);
    assertEquals(folder.descriptors() ?? 0, 0);
  } finally {
    folder.remove();
  }
}

test(
  "Files.open() gives the facts of a file, as exact as the runtime tells",
  { skip: linux },
  () =>
    withFolder(async (folder) => {
      const path = folder.at("a");
      writeFileSync(path, "hello");
      chmodSync(path, 0o640);
      linkSync(path, folder.at("b"));
      const facts = await files.stat(path);
      const { stdout } = spawnSync("stat", ["-c", "%d %i %.9Y %.9Z %h %f %u %g", path], {
        encoding: "utf8",
      });
      const [device, inode, modified, changed, links, mode, userId, groupId] = stdout.trim().split(
        " ",
      );
      const nanoseconds = (seconds: string, exact: bigint) => {
        const value = BigInt(seconds.replace(".", ""));
        return runtime === "deno" ? value / exact * exact : value;
      };
      assertEquals(facts, {
        size: 5,
        modifiedMs: facts.modifiedMs,
        kind: "file",
        device: BigInt(device!),
        inode: BigInt(inode!),
        modifiedNs: nanoseconds(modified!, 1_000_000n),
        changedNs: nanoseconds(changed!, 1_000_000_000n),
        links: Number(links),
        mode: parseInt(mode!, 16),
        userId: Number(userId),
        groupId: Number(groupId),
      });
      assertEquals(BigInt(Math.floor(facts.modifiedMs)), facts.modifiedNs / 1_000_000n);
      const file = await files.open(path);
      assertEquals(await file.stat(), facts);
      assertEquals(await files.lookUp(path), facts);
      assertEquals(await files.lookUp(path, { followLinks: false }), facts);
      const silent = await silentFiles.open(path);
      assertEquals(await silent.stat(), facts);
      await silent.close();
      await file.close();
    }),
);

test("Files.lookUp() is undefined when nothing is there, and a link is one when not followed", () =>
  withFolder(async (folder) => {
    folder.write("a", "text");
    mkdirSync(folder.at("folder"));
    folder.link("a", "link");
    folder.link("nowhere", "broken");
    const kind = async (name: string, followLinks: boolean) =>
      (await files.lookUp(folder.at(name), { followLinks }))?.kind;
    for (const followLinks of [true, false]) {
      assertEquals(await kind("a", followLinks), "file");
      assertEquals(await kind("folder", followLinks), "directory");
      assertEquals(await kind("nothing", followLinks), undefined);
      assertEquals(await kind("a/b", followLinks), undefined);
      assertEquals(await kind("link", followLinks), followLinks ? "file" : "link");
      assertEquals(await kind("broken", followLinks), followLinks ? undefined : "link");
    }
    const error = await assertRejects(() => files.stat(folder.at("nothing")), JackfieldError);
    assertEquals([error.code, error.osCode], ["FILE_FAILED", "ENOENT"]);
    assertEquals(error.message, `Cannot look at "${folder.at("nothing")}": it does not exist`);
  }));

test("Files.open() does not wait at a named pipe, and follows no link when told so", {
  skip: noFifo,
}, () =>
  withFolder(async (folder) => {
    folder.fifo("pipe");
    const pipe = await files.open(folder.at("pipe"));
    assertEquals((await pipe.stat()).kind, "other");
    await pipe.close();
    folder.write("a", "text");
    folder.link("a", "link");
    const error = await assertRejects(
      () => files.open(folder.at("link"), { noFollow: true }),
      JackfieldError,
    );
    assertEquals([error.code, error.osCode], ["FILE_FAILED", "ELOOP"]);
    for (const options of [{}, { noFollow: false }]) {
      await (await files.open(folder.at("link"), options)).close();
    }
    await (await files.open(folder.at("a"), { noFollow: true })).close();
  }));

test("OpenFile.read() reads at any position, any length, and many times at once", () =>
  withFolder(async (folder) => {
    const content = Uint8Array.from({ length: 1_000_003 }, (_, index) => index * 7 >> 3);
    folder.write("a", content);
    const file = await files.open(folder.at("a"));
    const lengths = [0, 1, 65_535, 65_536, 65_537, 262_144, 1_000_003, 2_000_000];
    const positions = [0, 1, 4095, 500_000, 1_000_002, 1_000_003, 5_000_000];
    await Promise.all(lengths.flatMap((length) =>
      positions.map(async (position) => {
        const into = new Uint8Array(length + 2).fill(255);
        const count = await file.read(into.subarray(1, length + 1), position);
        const expected = content.subarray(position, position + length);
        assertEquals(count, expected.byteLength, `${length} at ${position}`);
        assert(into.subarray(1, count + 1).every((byte, index) => byte === expected[index]));
        assertEquals([into[0], into[length + 1]], [255, 255]);
      })
    ));
    await file.close();
  }));

test("OpenFile.close() waits for reads, and refuses everything that comes later", () =>
  withFolder(async (folder) => {
    folder.write("a", new Uint8Array(8_000_000).fill(1));
    folder.write("b", new Uint8Array(8_000_000).fill(2));
    const file = await files.open(folder.at("a"));
    const into = new Uint8Array(8_000_000);
    const read = file.read(into, 0);
    const closed = file.close();
    assertEquals(file.close(), closed);
    const other = await files.open(folder.at("b"));
    assertEquals(await read, into.byteLength);
    assert(into.every((byte) => byte === 1));
    await closed;
    const late: (() => Promise<unknown>)[] = [
      () => file.read(new Uint8Array(1), 0),
      () => file.read(new Uint8Array(100_000), 0),
      () => file.stat(),
      () => file.realPath(),
      () => file.digest("sha-256", 1),
      () => file.write(new Uint8Array(1), 0),
      () => file.truncate(0),
      () => file.allocate!(1),
      () => file.sync!(),
    ];
    for (const use of late) {
      const error = await assertRejects(use, JackfieldError);
      assert(error.message.endsWith(`"${folder.at("a")}": it is closed`), error.message);
    }
    assertEquals((await other.stat()).size, 8_000_000);
    await other.close();
  }));

test("OpenFile writes, grows and shrinks as before", () =>
  withFolder(async (folder) => {
    const path = folder.at("a");
    const file = await files.open(path, { create: true });
    await file.write(new TextEncoder().encode("world"), 6);
    await file.write(new TextEncoder().encode("hello "), 0);
    await file.sync!();
    assertEquals(readFileSync(path, "utf8"), "hello world");
    await file.truncate(5);
    await file.allocate!(7);
    assertEquals(readFileSync(path, "utf8"), "hello\0\0");
    await file.close();
    const updated = await files.open(path, { update: true });
    await updated.write(new TextEncoder().encode("J"), 0);
    assertEquals(await updated.read(new Uint8Array(9), 0), 7);
    await updated.close();
    assertEquals(readFileSync(path, "utf8"), "Jello\0\0");
    await (await files.open(path, { create: true })).close();
    assertEquals(statSync(path).size, 0);
    await assertRejects(() => files.open(folder.at("b"), { update: true }), JackfieldError);
  }));

test(
  "OpenFile.realPath() is the kernel's word, also after a rename",
  { skip: linux },
  () =>
    withFolder(async (folder) => {
      folder.write("folder/a", "text");
      folder.link("folder", "link");
      const file = await files.open(folder.at("link/a"));
      assertEquals(await file.realPath(), folder.at("folder/a"));
      renameSync(folder.at("folder"), folder.at("other"));
      assertEquals(await file.realPath(), folder.at("other/a"));
      rmSync(folder.at("other/a"));
      assertEquals(await file.realPath(), `${folder.at("other/a")} (deleted)`);
      await file.close();
      folder.write("b", "text");
      const silent = await silentFiles.open(folder.at("b"));
      assertEquals(await silent.realPath(), undefined);
      await silent.close();
    }),
);

for (const [name, ofKernel] of [["files", files], ["silent files", silentFiles]] as const) {
  test(`Files.openFolder() lists and looks up, ${name}`, () =>
    withFolder(async (folder) => {
      for (const file of ["a", "b", "c"]) folder.write(`folder/${file}`, file);
      folder.link("a", "folder/link");
      const open = await ofKernel.openFolder(folder.at("folder"));
      assertEquals((await open.list(10)).toSorted(), ["a", "b", "c", "link"]);
      assertEquals((await open.list(4)).length, 4);
      assertEquals((await open.list(2)).length, 2);
      assertEquals(await open.list(0), []);
      assertEquals((await open.lookUp("a"))?.kind, "file");
      assertEquals((await open.lookUp("link"))?.kind, "file");
      assertEquals((await open.lookUp("link", { followLinks: false }))?.kind, "link");
      assertEquals(await open.lookUp("nothing"), undefined);
      await open.close();
      await open.close();
      const failing = [folder.at("nothing"), folder.at("folder/a")].map(async (path) => {
        const opened = await ofKernel.openFolder(path);
        try {
          await opened.list(1);
        } finally {
          await opened.close();
        }
      });
      for (const result of await Promise.allSettled(failing)) {
        assertEquals(result.status, "rejected");
      }
    }));
}

test(
  "Files.openFolder() stays with its folder when that gets another name",
  { skip: linux },
  () =>
    withFolder(async (folder) => {
      folder.write("folder/a", "inside");
      folder.write("outside/b", "secret");
      const open = await files.openFolder(folder.at("folder"));
      renameSync(folder.at("folder"), folder.at("away"));
      folder.link("outside", "folder");
      assertEquals(await open.realPath(), folder.at("away"));
      assertEquals(await open.list(10), ["a"]);
      assertEquals((await open.lookUp("a"))?.kind, "file");
      assertEquals(await open.lookUp("b"), undefined);
      await open.close();
    }),
);

test("Files name the operation, the path and the cause of a failure", () =>
  withFolder(async (folder) => {
    folder.write("a", "text");
    const failures: [() => Promise<unknown>, string][] = [
      [
        () => files.open(folder.at("nothing")),
        `Cannot open "${folder.at("nothing")}": it does not exist`,
      ],
      [
        () => files.open(folder.at("a/b")),
        `Cannot open "${folder.at("a/b")}": a part of the path is not a directory`,
      ],
      [
        () => files.realPath(folder.at("nothing")),
        `Cannot resolve "${folder.at("nothing")}": it does not exist`,
      ],
      [
        () => files.remove(folder.at("nothing")),
        `Cannot remove "${folder.at("nothing")}": it does not exist`,
      ],
      [
        () => files.rename(folder.at("x"), folder.at("y")),
        `Cannot rename "${folder.at("x")}": it does not exist`,
      ],
    ];
    for (const [run, message] of failures) {
      const error = await assertRejects(run, JackfieldError);
      assertEquals([error.code, error.message], ["FILE_FAILED", message]);
    }
    const long = folder.at("x".repeat(300));
    const error = await assertRejects(() => files.open(long), JackfieldError);
    assertEquals(error.osCode, "ENAMETOOLONG");
  }));
