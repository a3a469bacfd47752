// The head of an answer goes with its file, wherever the kernel stops.
import { assert, assertEquals } from "@std/assert";
import { HybridSender } from "../../src/native/hybrid_sender.ts";
import type { Libc } from "../../src/native/libc.ts";
import { MainSender } from "../../src/native/main_sender.ts";
import { PageCache } from "../../src/native/page_cache.ts";
import { libcOrReason } from "../../src/native/supported.ts";
import { serving } from "../download/tools.ts";
import { test } from "../harness.ts";

const found = libcOrReason();
const skip = typeof found === "string" && found;
const libc = found as Libc;

for (const mode of ["main", "hybrid"] as const) {
  test(`the sender of mode ${mode} goes on where the kernel stops, in the head or in the file`, {
    skip,
    sanitize: false,
  }, async () => {
    let headBytes = Infinity;
    let bodyBytes = Infinity;
    let heads = 0;
    const own: Libc = {
      ...libc,
      send(to, bytes, length, flags) {
        heads++;
        const most = headBytes;
        headBytes = Infinity; // Only once, like the piece.
        return libc.send(to, bytes, Math.min(length, most), flags);
      },
      sendfile(to, from, offset, count) {
        const most = bodyBytes;
        bodyBytes = Infinity; // Only the first piece of an answer stops early.
        return libc.sendfile(to, from, offset, Math.min(count, most));
      },
    };
    const start = () => {
      const here = new MainSender(own, new PageCache(own));
      if (mode === "main") return { sender: here, close: () => {} };
      const sender = new HybridSender(own, here);
      return { sender, quantumBytes: 8 * 1024 * 1024, close: () => sender.close() };
    };
    await serving(async ({ folder, connect }) => {
      const bytes = folder.fill("a", 3_000_000); // Longer than what mode hybrid sends here.
      const client = await connect();
      for (const [head, body] of [[Infinity, Infinity], [7, 0], [Infinity, 0], [Infinity, 9]]) {
        [headBytes, bodyBytes] = [head!, body!];
        const before = heads;
        const { body: got } = await client.request("GET /a");
        assertEquals(got.byteLength, bytes.byteLength);
        assert(got.every((octet, index) => octet === bytes[index]));
        // A head that was cut goes on with the next piece, unless a probe has taken all of it.
        assert(heads - before <= (head === 7 ? 2 : 1), `${heads - before} heads`);
      }
    }, { engine: { name: "copy", start } });
  });
}
