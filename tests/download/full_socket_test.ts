import { assert, assertEquals } from "@std/assert";
import { test } from "../harness.ts";
import { eventually, sha256, sleep } from "../transport/tools.ts";
import { serving } from "./tools.ts";

test("Download.request is what was asked for, also while a full socket is waited for", () =>
  serving(async ({ folder, server, connect }) => {
    const content = folder.fill("big", 16 * 2 ** 20);
    const client = await connect();
    await client.send("GET /big", { "X-One": "1", "Accept": "a, b" });
    await eventually(() => server.downloads().length > 0, () => "no download");
    const [download] = server.downloads();
    let before = -1;
    while (download!.bytes === 0 || download!.bytes > before) {
      before = download!.bytes;
      await sleep(20);
    }
    assert(download!.bytes < content.byteLength, "the kernel has taken all of it");
    for (let times = 0; times < 2; times++) {
      const { method, target, fields } = download!.request;
      assertEquals([method, target], ["GET", "/big"]);
      assertEquals(fields.get("x-one"), "1");
      assertEquals(fields.get("accept"), "a, b");
      assert(fields instanceof Map);
    }
    assertEquals(sha256((await client.answer()).body), sha256(content));
  }));
