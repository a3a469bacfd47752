// Files that are not in memory: nobody waits for the disk in the thread that serves requests.
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { closeSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { copyEngine, type DownloadEngine, type FileSender } from "../../src/core.ts";
import { POSIX_FADV_DONTNEED } from "../../src/native/layouts.ts";
import type { Libc } from "../../src/native/libc.ts";
import { MainSender } from "../../src/native/main_sender.ts";
import { PageCache } from "../../src/native/page_cache.ts";
import { libcOrReason } from "../../src/native/supported.ts";
import { sendfileEngine } from "../../src/native/mod.ts";
import { test } from "../harness.ts";
import { Folder, serving } from "../download/tools.ts";

const libc = libcOrReason();
const SIZE = 6 * 2 ** 20;

/** Drop a file from memory; whether the file system does that, and says so. */
function chill(own: Libc, path: string): boolean {
  const descriptor = openSync(path, "r+");
  try {
    const cache = new PageCache(own);
    // Pages that are on their way to the disk at this moment stay.
    for (let tries = 0; tries < 20; tries++) {
      fsyncSync(descriptor);
      own.posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
      const isCold = !cache.isInMemory(undefined, descriptor) &&
        !cache.isWarm(undefined, descriptor, 0, SIZE);
      if (isCold) return true;
    }
    return false;
  } finally {
    closeSync(descriptor);
  }
}

function whyNot(): string | false {
  if (typeof libc === "string") return libc;
  const folder = new Folder();
  folder.fill("a", SIZE);
  const isCold = chill(libc, folder.at("a"));
  folder.remove();
  return isCold ? false : "the folder for temporary files lies in memory";
}

const options = { skip: whyNot(), sanitize: false };

test(
  "MainSender sends nothing that is cold, which is read in the background instead",
  options,
  () => {
    const own = libc as Libc;
    const seen = { cold: 0, sentBytes: 0 };
    const engine: DownloadEngine = {
      name: "sendfile",
      start() {
        const real = new MainSender(own, new PageCache(own));
        const sender: FileSender = {
          turnBytes: real.turnBytes,
          afterEvents: (resume) => real.afterEvents(resume),
          isWarm(...part) {
            const isWarm = real.isWarm(...part);
            if (!isWarm) seen.cold++;
            return isWarm;
          },
          send: (piece, told) =>
            real.send(piece, (sent, end, failure) => {
              if (end === "cold") seen.cold++;
              assert(end !== "cold" || sent === 0);
              seen.sentBytes += sent;
              told(sent, end, failure);
            }),
        };
        return { sender, close() {} };
      },
    };
    return serving(async ({ folder, connect }) => {
      const bytes = folder.fill("a", SIZE);
      assert(chill(own, folder.at("a")));
      const client = await connect();
      assertEquals(Buffer.compare((await client.request("GET /a")).body, bytes), 0);
      assert(seen.cold > 0, "the file was warm");
      // It is in memory now, or soon: the kernel may fetch its last pages yet.
      let cold = -1;
      for (let round = 0; round < 5 && seen.cold > cold; round++) {
        cold = seen.cold;
        assertEquals(Buffer.compare((await client.request("GET /a")).body, bytes), 0);
      }
      assert(seen.sentBytes > SIZE / 2);
    }, { engine });
  },
);

for (const mode of ["main", "hybrid"] as const) {
  test(
    `sendfileEngine({ mode: ${mode} }) sends cold files, small and large, to the byte`,
    options,
    () =>
      serving(async ({ folder, connect, errors }) => {
        const large = folder.fill("large", SIZE);
        const small = folder.fill("small", 3000, 2);
        const client = await connect();
        for (let round = 0; round < 3; round++) {
          chill(libc as Libc, folder.at("large"));
          chill(libc as Libc, folder.at("small"));
          const answers = [await client.request("GET /small"), await client.request("GET /large")];
          for (const [index, bytes] of [small, large].entries()) {
            const { body } = answers[index]!;
            assertEquals(Buffer.compare(body, bytes), 0);
          }
        }
        assertEquals(errors, []);
      }, { engine: sendfileEngine({ mode }) }),
  );
}

/** Bytes that were fetched from disks (proc(5)): for this thread, and for all of this process. */
function fetched(): readonly [here: number, all: number] {
  const bytesIn = (path: string): number =>
    Number(/^read_bytes: (\d+)$/m.exec(readFileSync(path, "utf8"))?.[1]);
  return [bytesIn("/proc/thread-self/io"), bytesIn("/proc/self/io")];
}

for (
  const [called, engine, mostHere] of [
    // A look at what is not in memory has the kernel begin to fetch a page, and waits for none.
    ["sendfileEngine({ mode: main })", sendfileEngine({ mode: "main" }), 0.01],
    ["sendfileEngine({ mode: hybrid })", sendfileEngine(), 0.01],
    // It shows that the count would tell.
    ["copyEngine()", copyEngine(), 1],
  ] as const
) {
  test(
    `${called}: the thread that serves fetches ${mostHere < 1 ? "nothing" : "much"} from the disk`,
    options,
    () =>
      serving(async ({ folder, connect }) => {
        const names = ["one", "two"];
        for (const name of names) folder.fill(name, SIZE / 2);
        const client = await connect();
        for (const name of names) assert(chill(libc as Libc, folder.at(name)));
        const [hereBefore, allBefore] = fetched();
        for (const name of names) await client.request(`GET /${name}`);
        const [hereAfter, allAfter] = fetched();
        const [here, all] = [hereAfter - hereBefore, allAfter - allBefore];
        // Whether they were cold was asked by their last bytes, which are warm since.
        assert(all > SIZE * 0.9, `${all} bytes in all`);
        assert(here <= all * mostHere, `${here} of ${all} bytes in this thread`);
        if (mostHere === 1) assert(here > all * 0.01, `${here} of ${all} bytes in this thread`);
      }, { engine }),
  );
}
