// Files that cannot be opened because no descriptor is left: the client waits, and then is told so.
import { assertEquals } from "@std/assert";
import { serveDownloads } from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { pattern } from "../transport/tools.ts";
import { failure, MemoryFiles } from "./memory_files.ts";
import { Client } from "./tools.ts";

const BYTES = pattern(1500, 1);

/** Ask for a file that cannot be opened for so many milliseconds; how long it took, and the answer. */
async function askWhileShort(shortMs: number, osCode: string) {
  const clock = new VirtualClock();
  const files = new MemoryFiles({ "a": BYTES });
  const open = files.open.bind(files);
  files.open = (path) => clock.now() < shortMs ? Promise.reject(failure(osCode)) : open(path);
  const transport = memoryTransport({ clock, host: { files } });
  const errors: string[] = [];
  const server = await serveDownloads({
    transport,
    root: "/root",
    clock,
    onError: (error) => errors.push((error as { osCode: string }).osCode),
  });
  const client = new Client(await transport.connect(server.address));
  await client.send("GET /a");
  const asking = client.answer();
  let answeredMs: number | undefined;
  void asking.then(() => answeredMs = clock.now());
  while (answeredMs === undefined) {
    await clock.advance(10);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const { status, fields, body } = await asking;
  const again = status === 503 ? fields.get("retry-after") : body.byteLength;
  client.socket.abort();
  await server.close();
  return { status, again, errors, answeredMs };
}

for (const osCode of ["EMFILE", "ENFILE"]) {
  test(`serveDownloads() opens a file as soon as a descriptor is left again, after ${osCode}`, async () => {
    const { status, again, errors, answeredMs } = await askWhileShort(1000, osCode);
    assertEquals([status, again, errors], [200, BYTES.byteLength, []]);
    assertEquals(answeredMs >= 1000 && answeredMs < 1400, true, `after ${answeredMs} ms`);
  });

  test(`serveDownloads() answers 503 with Retry-After after five seconds of ${osCode}`, async () => {
    const { status, again, errors, answeredMs } = await askWhileShort(Infinity, osCode);
    assertEquals([status, again, errors], [503, "1", [osCode]]);
    assertEquals(answeredMs >= 5000 && answeredMs < 5400, true, `after ${answeredMs} ms`);
  });
}

test("serveDownloads() waits for no descriptor when the file fails for another reason", async () => {
  const { status, answeredMs } = await askWhileShort(Infinity, "EIO");
  assertEquals([status, answeredMs < 100], [500, true]);
});
