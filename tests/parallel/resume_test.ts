// What a run leaves behind, and what the next one makes of it.
import { assert, assertEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { parallelGet, type ParallelGetOptions } from "../../mod.ts";
import {
  doneLine,
  readState,
  type StateHead,
  stateHeadLine,
  syncedLine,
} from "../../src/parallel/state_file.ts";
import { test } from "../harness.ts";
import { Folder } from "../download/tools.ts";
import { bytesOf, concat, pattern, rejection, sha256 } from "../transport/tools.ts";
import { type Asked, ETAG, headOf, type RawServer, sendFile, withServer } from "./tools.ts";

const UNIT = 8192;
const BYTES = pattern(20 * UNIT + 5);
const OPTIONS: ParallelGetOptions = { sockets: 3, unitBytes: UNIT, backoffMs: 1, retries: 1 };
const TO = "copy.bin";
const [PART, STATE] = [`${TO}.part`, `${TO}.part.state`];

/** Run with a server and a folder; `answer` may be changed on the way. */
async function resuming(
  run: (
    context: {
      folder: Folder;
      server: RawServer;
      get(options?: ParallelGetOptions): ReturnType<typeof parallelGet>;
      answerWith(answer: (asked: Asked) => Promise<unknown> | unknown): void;
    },
  ) => Promise<void>,
): Promise<void> {
  const folder = new Folder();
  let answer = (asked: Asked): Promise<unknown> | unknown => sendFile(asked, BYTES);
  try {
    await withServer((asked) => answer(asked), (server) =>
      run({
        folder,
        server,
        get: (options) => parallelGet(server.url, { ...OPTIONS, to: folder.at(TO), ...options }),
        answerWith: (other) => answer = other,
      }));
  } finally {
    folder.remove();
  }
}

/** Fetch some units, and no more. */
async function begin(
  { server, get, answerWith }: Parameters<Parameters<typeof resuming>[0]>[0],
  units = 8,
): Promise<void> {
  answerWith((asked) => {
    if (asked.count < units) return sendFile(asked, BYTES);
    asked.socket.abort();
  });
  const error = await rejection(get({ keepUnfinished: true }));
  assertEquals(error.code, "TRANSFER_FAILED");
  server.asked.length = 0;
  answerWith((asked) => sendFile(asked, BYTES));
}

/** Lay down what an earlier run could have left. */
function leave(
  folder: Folder,
  url: string,
  state: string | Partial<StateHead>,
  { lines = doneLine(0, 10 * UNIT), part = BYTES.subarray(0, 10 * UNIT) as Uint8Array } = {},
): void {
  const file = new Uint8Array(BYTES.byteLength);
  file.set(part);
  writeFileSync(folder.at(PART), file);
  const head: StateHead = {
    url,
    size: BYTES.byteLength,
    unitBytes: UNIT,
    validator: { kind: "tag", value: ETAG },
  };
  const text = typeof state === "string" ? state : stateHeadLine({ ...head, ...state }) + lines;
  writeFileSync(folder.at(STATE), text);
}

test("parallelGet() goes on where an earlier run has come to, and asks whether the file is the same", () =>
  resuming(async (context) => {
    const { folder, server, get } = context;
    await begin(context);
    assertEquals(readdirSync(folder.path).sort(), [PART, STATE]);
    const { done } = readState(readFileSync(folder.at(STATE), "utf8"))!;
    const there = done.reduce((sum, { start, end }) => sum + end - start, 0);
    assert(there >= 5 * UNIT && there <= 8 * UNIT, `${there} bytes are there`);
    const seen: number[] = [];
    const onProgress = ({ bytes, resumedBytes }: { bytes: number; resumedBytes: number }) => {
      assertEquals(resumedBytes, there);
      seen.push(bytes);
    };
    const { bytes, totalBytes, digest } = await get({ onProgress });
    assertEquals([bytes, totalBytes, digest], [
      BYTES.byteLength - there,
      BYTES.byteLength,
      sha256(BYTES),
    ]);
    assertEquals(sha256(readFileSync(folder.at(TO))), sha256(BYTES));
    assertEquals(readdirSync(folder.path), [TO]);
    for (const { fields, start } of server.asked) {
      assertEquals(fields.get("if-range"), ETAG);
      const isDone = done.some((part) => start >= part.start && start < part.end);
      assertEquals(isDone, false, `byte ${start} is there already`);
    }
    assert(seen.every((count) => count >= there) && seen.at(-1) === BYTES.byteLength);
  }));

test("parallelGet() begins anew when the file is another one now", async () => {
  const other = pattern(BYTES.byteLength, 9);
  const longer = pattern(BYTES.byteLength + 100, 9);
  const cases: [Uint8Array, Record<string, string>][] = [
    [other, { ETag: '"two"' }],
    [longer, { ETag: '"two"' }],
    [longer.subarray(0, 3 * UNIT), { ETag: '"two"' }],
    [longer.subarray(0, 100), { ETag: '"two"' }],
    [longer, {}], // the same tag, and another length
  ];
  for (const [bytes, fields] of cases) {
    await resuming(async (context) => {
      await begin(context);
      context.answerWith((asked) => sendFile(asked, bytes, fields));
      const result = await context.get();
      assertEquals(result.digest, sha256(bytes));
      assertEquals(result.bytes, bytes.byteLength);
      assertEquals(readdirSync(context.folder.path), [TO]);
    });
  }
});

test("parallelGet() begins anew when it cannot believe what is there", async () => {
  const cases: [string, (folder: Folder, url: string) => void][] = [
    ["a state that is none", (folder, url) => leave(folder, url, "nonsense")],
    ["an empty state", (folder, url) => leave(folder, url, "")],
    ["another URL", (folder, url) => leave(folder, `${url}?x`, { url: `${url}?x` })],
    ["another size", (folder, url) => leave(folder, url, { size: BYTES.byteLength - 1 })],
    [
      "another ETag",
      (folder, url) => leave(folder, url, { validator: { kind: "tag", value: '"x"' } }),
    ],
    ["no part", (folder, url) => {
      leave(folder, url, {});
      truncateSync(folder.at(PART), 0);
    }],
    ["a part that is shorter", (folder, url) => {
      leave(folder, url, {});
      truncateSync(folder.at(PART), 100);
    }],
    ["a part without a state", (folder) => writeFileSync(folder.at(PART), "what is this?")],
    ["a state without a part", (folder, url) =>
      leave(
        folder,
        url,
        stateHeadLine({
          url,
          size: 5,
          unitBytes: UNIT,
          validator: { kind: "tag", value: ETAG },
        }),
      )],
  ];
  for (const [name, prepare] of cases) {
    await resuming(async ({ folder, server, get }) => {
      prepare(folder, server.url);
      const { bytes, digest } = await get();
      assertEquals([bytes, digest], [BYTES.byteLength, sha256(BYTES)], name);
      assertEquals(readdirSync(folder.path), [TO], name);
    });
  }
});

test("parallelGet() fetches again what may not have reached the disk", () =>
  resuming(async ({ folder, server, get }) => {
    // The machine went down: the state is there, and some blocks of the part are not.
    const part = BYTES.slice(0, 10 * UNIT);
    part.fill(0, 3 * UNIT, 3 * UNIT + 4096);
    part.fill(0, 6 * UNIT, 7 * UNIT);
    leave(folder, server.url, {}, { part });
    const { bytes, digest } = await get();
    assertEquals([bytes, digest], [BYTES.byteLength - 10 * UNIT + 4096 + UNIT, sha256(BYTES)]);
  }));

test("parallelGet() believes that zeros are zeros when the state says that they reached the disk", async () => {
  const zeros = new Uint8Array(BYTES.byteLength);
  await resuming(async ({ folder, server, get, answerWith }) => {
    answerWith((asked) => sendFile(asked, zeros));
    const head = { url: server.url, size: zeros.byteLength, unitBytes: UNIT };
    const text = stateHeadLine({ ...head, validator: { kind: "tag", value: ETAG } }) +
      doneLine(0, 10 * UNIT);
    leave(folder, server.url, text + syncedLine(text.length), { part: zeros });
    const { bytes, digest } = await get();
    assertEquals([bytes, digest], [zeros.byteLength - 10 * UNIT, sha256(zeros)]);
  });
});

test("parallelGet() asks for one byte when everything is there", () =>
  resuming(async ({ folder, server, get }) => {
    const lines = doneLine(0, BYTES.byteLength);
    leave(folder, server.url, {}, { lines, part: BYTES });
    const { bytes, digest } = await get();
    assertEquals([bytes, digest], [0, sha256(BYTES)]);
    assertEquals(server.asked.map(({ start, end }) => [start, end]), [
      [BYTES.byteLength - 1, BYTES.byteLength],
    ]);
    assertEquals(readdirSync(folder.path), [TO]);
  }));

test("parallelGet() leaves nothing for a file that cannot be gone on with", async () => {
  for (const fields of [{ ETag: undefined }, { ETag: 'W/"one"' }]) {
    await resuming(async ({ folder, get, answerWith }) => {
      answerWith(async (asked) => {
        if (asked.isRanged) return await sendFile(asked, BYTES, fields);
        const head = headOf(200, { "Content-Length": BYTES.byteLength, ...fields });
        await asked.socket.write(concat([bytesOf(head), BYTES.subarray(0, 5 * UNIT)]));
        asked.socket.abort();
      });
      await rejection(get({ keepUnfinished: true }));
      assertEquals(readdirSync(folder.path), []);
    });
  }
});

test("parallelGet() keeps nothing of a wrong file", () =>
  resuming(async ({ folder, get }) => {
    const error = await rejection(get({ keepUnfinished: true, digest: "0".repeat(64) }));
    assertEquals((error as { operation?: string }).operation, "verify");
    assertEquals(readdirSync(folder.path), []);
  }));

test("parallelGet() without resume begins anew, and leaves no state", () =>
  resuming(async (context) => {
    await begin(context);
    const { bytes } = await context.get({ resume: false });
    assertEquals(bytes, BYTES.byteLength);
    assertEquals(readdirSync(context.folder.path), [TO]);
  }));

test("parallelGet() leaves what has come when it is given up and told to keep it", () =>
  resuming(async ({ folder, get, answerWith }) => {
    const controller = new AbortController();
    answerWith((asked) => {
      if (asked.count === 6) controller.abort(new Error("enough"));
      return sendFile(asked, BYTES);
    });
    const error = await rejection(get({ signal: controller.signal, keepUnfinished: true }));
    assertEquals(error.message, "enough");
    assertEquals(readdirSync(folder.path).sort(), [PART, STATE]);
    assertEquals((await get()).digest, sha256(BYTES));
  }));

test("parallelGet() refuses a target that another transfer writes to", () =>
  resuming(async ({ folder, server, get, answerWith }) => {
    let release!: () => void;
    const held = new Promise<void>((resolve) => release = resolve);
    answerWith(async (asked) => {
      if (asked.count > 0) await held;
      await sendFile(asked, BYTES);
    });
    const first = get();
    while (server.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    // The same file by another path.
    const error = await rejection(
      get({ to: `${folder.path}/../${folder.path.split("/").at(-1)}/${TO}` }),
    );
    assertEquals([error.code, (error as { osCode?: string }).osCode], ["FILE_FAILED", "EBUSY"]);
    const other = get({ to: folder.at("other.bin") });
    release();
    const digests = await Promise.all([first, other]);
    for (const { digest } of digests) assertEquals(digest, sha256(BYTES));
    assertEquals(sha256(readFileSync(folder.at(TO))), sha256(BYTES));
    assertEquals((await get()).digest, sha256(BYTES)); // it was let go
    assertEquals(existsSync(folder.at(STATE)), false);
  }));
