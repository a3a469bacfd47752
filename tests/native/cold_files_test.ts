// Files that are not in memory: nobody waits for the disk in the thread that serves requests.
import { assert, assertEquals } from "@std/assert";
import { closeSync, fsyncSync, openSync } from "node:fs";
import type { DownloadEngine, FileSender } from "../../src/core.ts";
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
    fsyncSync(descriptor);
    own.posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    const cache = new PageCache(own);
    return !cache.isInMemory(undefined, descriptor) &&
      !cache.isWarm(undefined, descriptor, 0, SIZE);
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
      assertEquals(
        (await client.request("GET /a")).body.every((byte, at) => byte === bytes[at]),
        true,
      );
      assert(seen.cold > 0, "the file was warm");
      const cold = seen.cold;
      assertEquals(
        (await client.request("GET /a")).body.every((byte, at) => byte === bytes[at]),
        true,
      );
      assertEquals(seen.cold, cold); // It is in memory now.
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
            assertEquals(body.byteLength, bytes.byteLength);
            assertEquals(body.every((byte, at) => byte === bytes[at]), true);
          }
        }
        assertEquals(errors, []);
      }, { engine: sendfileEngine({ mode }) }),
  );
}
