// What `jackfield get` says and ends with, for everything that may go wrong.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { drawGet, formatSeconds } from "../../src/cli/get_display.ts";
import { type SocketProgress, systemTransport } from "../../mod.ts";
import { test } from "../harness.ts";
import { Folder } from "../download/tools.ts";
import {
  type Asked,
  headOf,
  sendFile,
  sendText,
  sendWhole,
  withServer,
} from "../parallel/tools.ts";
import { fixture, pattern, sha256 } from "../transport/tools.ts";
import { commandOf, type Ended, runMain, TOP, withChildren } from "./tools.ts";

const BYTES = pattern(400_000);
const CERT = { cert: fixture("tls/server.pem"), key: fixture("tls/server.key") };
const CA = `${TOP}tests/fixtures/tls/ca.pem`;

type Answer = (asked: Asked) => Promise<unknown> | unknown;

/** Run `get` against a server, with a folder for the file. */
async function getting(
  answer: Answer,
  run: (
    context: { url: string; to: string; folder: Folder; get(...words: string[]): Promise<Ended> },
  ) => Promise<void>,
  options: Parameters<typeof withServer>[2] = {},
): Promise<void> {
  const folder = new Folder();
  try {
    await withServer(answer, async ({ url }) => {
      const to = folder.at("copy.bin");
      const get = (...words: string[]) => runMain("get", url, "-o", to, "--unit", "16K", ...words);
      await run({ url, to, folder, get });
    }, options);
  } finally {
    folder.remove();
  }
}

const good: Answer = (asked) => sendFile(asked, BYTES);

/** Its exit code, and the last line of what it complains about. */
function assertFailed({ code, stdout, stderr }: Ended, expected: number, ...texts: string[]): void {
  assertEquals([code, stdout], [expected, ""], stderr);
  const line = stderr.trimEnd().split("\n").at(-1)!;
  assertMatch(line, /^jackfield: .{10,300}$/);
  for (const text of texts) assertStringIncludes(line, text);
}

test("jackfield get says what went wrong, with an exit code for each kind", async () => {
  const status = (status: number): Answer => ({ socket }) =>
    sendText(socket, headOf(status, { "Content-Length": 0 }));
  const later = (other: Answer): Answer => (asked) =>
    asked.start < 100_000 ? good(asked) : other(asked);
  const cases: [string, Answer, string[], number, string][] = [
    ["no such file", status(404), [], 4, "404"],
    ["not permitted", status(403), [], 4, "403"],
    ["too busy", status(503), ["--retries", "0"], 4, "503"],
    [
      "a redirect in a circle",
      ({ socket, path }) => sendText(socket, headOf(302, { Location: path, "Content-Length": 0 })),
      [],
      4,
      "redirects",
    ],
    [
      "a compressed answer",
      (asked) => sendFile(asked, BYTES, { "Content-Encoding": "gzip" }),
      [],
      4,
      "gzip",
    ],
    ["no HTTP", ({ socket }) => sendText(socket, "hello\r\n\r\n"), [], 4, "hello"],
    [
      "a changed file",
      later((asked) => sendWhole(asked, BYTES, { ETag: '"two"' })),
      [],
      5,
      "changed",
    ],
    ["a bad digest", good, ["--digest", "0".repeat(64)], 7, "SHA-256"],
    [
      "a connection that breaks",
      later(({ socket }) => socket.abort()),
      ["--retries", "0"],
      3,
      "broke",
    ],
  ];
  for (const [name, answer, words, code, text] of cases) {
    await getting(answer, async ({ folder, get }) => {
      assertFailed(await get(...words, "--no-resume"), code, text);
      assertEquals(readdirSync(folder.path), [], name);
    });
  }
});

test("jackfield get says why there is no connection", async () => {
  await getting(good, async ({ to }) => {
    assertFailed(await runMain("get", "http://127.0.0.1:1/x", "-o", to), 3, "nothing listens");
    assertFailed(await runMain("get", "http://name.invalid/x", "-o", to), 3, "does not resolve");
  });
});

test("jackfield get says what is wrong with a certificate, and takes the one of --ca", async () => {
  await getting(good, async ({ url, to, get }) => {
    assertFailed(await get(), 3, "TLS", "nobody trusted here", "--ca FILE");
    assertEquals((await get("--ca", CA)).code, 0);
    assertEquals(sha256(readFileSync(to)), sha256(BYTES));
    // The certificate is for 127.0.0.1, and not for 127.0.0.2.
    const other = url.replace("127.0.0.1", "127.0.0.2");
    assertFailed(await runMain("get", other, "-o", to, "--ca", CA), 3, "for another name");
    for (const bad of ["nowhere.pem", `${TOP}deno.json`]) {
      assertFailed(await get("--ca", bad), 2, "--ca");
    }
  }, { listen: { hostname: "0.0.0.0", tls: CERT } });
  await getting(good, async ({ to }) => {
    const listener = await systemTransport().listen({ port: 0 });
    const refusing = (async () => {
      for await (const socket of listener) {
        await sendText(socket, headOf(400)).catch(() => {});
        await socket.close();
      }
    })();
    const { port } = listener.address;
    assertFailed(await runMain("get", `https://127.0.0.1:${port}/x`, "-o", to), 3, "no TLS there");
    await listener.close();
    await refusing;
  });
});

/** A disk of 64 KiB, where one can be made. */
function mountSmall(path: string): boolean {
  mkdirSync(path);
  return spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]).status === 0;
}

test("jackfield get says that the disk is full", {
  skip: process.platform !== "linux" || process.getuid?.() !== 0 ? "only root can mount" : false,
}, async () => {
  await getting(good, async ({ url, folder }) => {
    const small = folder.at("small");
    if (!mountSmall(small)) return;
    try {
      const ended = await runMain("get", url, "-o", `${small}/x`);
      assertFailed(ended, 6, "the disk is full", `${small}/x.part`);
      // Not known before: then it is found out when it is written.
      const chunked: Answer = async ({ socket }) => {
        await sendText(socket, headOf(200));
        await socket.write(BYTES);
        await socket.close();
      };
      await getting(chunked, async ({ url }) => {
        const ended = await runMain("get", url, "-o", `${small}/x`);
        assertEquals(ended.code, 6, ended.stderr);
        assertStringIncludes(ended.stderr, "the disk is full");
      });
      assertEquals(readdirSync(small), []);
    } finally {
      spawnSync("umount", [small]);
    }
  });
});

test("jackfield get says when it could use one connection only", async () => {
  await getting((asked) => sendWhole(asked, BYTES), async ({ get }) => {
    const { code, stderr } = await get();
    assertEquals(code, 0);
    assertStringIncludes(stderr, "One connection: the server sends no parts of files\n");
  });
  await getting((asked) => sendFile(asked, BYTES, { ETag: undefined }), async ({ get }) => {
    assertStringIncludes((await get()).stderr, "One connection: the server says nothing by which");
  });
});

test("jackfield get goes on with what it has after a failure, and says so", async () => {
  let breaks = true;
  const answer: Answer = (asked) =>
    breaks && asked.start >= 200_000 ? asked.socket.abort() : good(asked);
  await getting(answer, async ({ folder, to, get }) => {
    const ended = await get("--retries", "0");
    assertFailed(ended, 3, `the same command goes on with ${to}.part`);
    assertEquals(readdirSync(folder.path).sort(), ["copy.bin.part", "copy.bin.part.state"]);
    breaks = false;
    const { code, stdout } = await get();
    assertEquals(code, 0);
    assertMatch(stdout, /^\d+\.\d KiB in \d+\.\d\d s \(\d+\.\d KiB were there\)\n/);
    assertStringIncludes(stdout, `SHA-256 ${sha256(BYTES)}\n`);
    assertEquals(readdirSync(folder.path), ["copy.bin"]);
  });
});

test("jackfield get --json prints one object in each line, also for a failure", async () => {
  const parse = (text: string) => text.trimEnd().split("\n").map((line) => JSON.parse(line));
  await getting(good, async ({ url, to, get }) => {
    const { code, stdout, stderr } = await get("--json", "--sockets", "2");
    assertEquals([code, stderr], [0, ""]);
    const events = parse(stdout);
    const { event, path, totalBytes, digest, sockets } = events.at(-1);
    assertEquals([event, path, totalBytes, digest], ["done", to, 400_000, sha256(BYTES)]);
    assertEquals(sockets.length, 2);
    for (const { event, bytes } of events.slice(0, -1)) {
      assertEquals([event, typeof bytes], ["progress", "number"]);
    }
    const none = url.replace("127.0.0.1", "127.0.0.1:1").replace(/:1:\d+/, ":1");
    const failed = await runMain("get", none, "-o", to, "--json");
    assertEquals(failed.code, 3);
    assertEquals(parse(failed.stdout), [{
      event: "failed",
      code: "CONNECT_FAILED",
      message: "Cannot connect to 127.0.0.1:1: nothing listens there",
      exitCode: 3,
      status: null,
      osCode: "ECONNREFUSED",
      reason: "refused",
      isKept: false,
    }]);
  });
});

test("jackfield get -o - writes to standard output, and nothing else there", async () => {
  const letters = BYTES.map((byte) => 97 + byte % 26);
  await getting((asked) => sendFile(asked, letters), async ({ url }) => {
    await withChildren(async (start) => {
      const child = start("get", url, "-o", "-", "--unit", "16K");
      const { code, stderr } = await child.ended;
      assertEquals(code, 0, stderr);
      assertEquals(child.stdout, new TextDecoder().decode(letters));
    });
    assertFailed(await runMain("get", url, "-o", "-", "--json"), 2, "--json");
  });
});

test("jackfield get keeps to --limit, --no-digest and --digest", async () => {
  await getting(good, async ({ get }) => {
    const start = performance.now();
    const { code, stdout } = await get("--limit", "400K", "--no-digest");
    assert(performance.now() - start > 700, "400,000 bytes at 400 KiB/s");
    assertEquals([code, stdout.includes("SHA-256")], [0, false]);
    const verified = await get("--digest", sha256(BYTES).toUpperCase());
    assertEquals(verified.code, 0);
    assertStringIncludes(verified.stdout, "\nverified\n");
    assertFailed(await get("--digest", "nonsense"), 2, '"nonsense"');
    assertFailed(await get("--digest", "0".repeat(64), "--no-digest"), 2, "exclude");
    assertFailed(await get("--limit", "x"), 2, "--limit");
  });
});

const SOCKET: SocketProgress = {
  localAddress: "127.0.0.2",
  localPort: 40_123,
  bytes: 5 * 2 ** 20,
  units: 1,
  bytesPerSecond: 2 ** 20,
  isOpen: true,
};

test("drawGet() draws a bar and a line for every open socket", () => {
  const progress = {
    bytes: 2 ** 20,
    totalBytes: 2 ** 22,
    resumedBytes: 0,
    bytesPerSecond: 2 ** 19,
    sockets: [
      SOCKET,
      { ...SOCKET, localAddress: "::1", units: 2, bytesPerSecond: 2 ** 19 },
      { ...SOCKET, isOpen: false },
    ],
  };
  assertEquals(drawGet(progress, 79, 24), [
    "[#######.....................]  25 %  1.0 MiB of 4.0 MiB  512.0 KiB/s  6 s",
    "  127.0.0.2:40123          1.0 MiB/s     5.0 MiB in 1 unit     ================",
    "  [::1]:40123            512.0 KiB/s     5.0 MiB in 2 units    ========",
  ]);
});

test("drawGet() is never wider or higher than the terminal", () => {
  for (const count of [0, 1, 5, 64]) {
    for (const totalBytes of [undefined, 0, 100, 2 ** 42]) {
      for (let columns = 0; columns <= 120; columns += 7) {
        for (const rows of [1, 2, 3, 10, 100]) {
          const sockets = new Array<SocketProgress>(count).fill(SOCKET);
          const progress = { bytes: 50, totalBytes, resumedBytes: 0, bytesPerSecond: 9, sockets };
          const lines = drawGet(progress, columns, rows);
          assert(lines.length <= rows, `${lines.length} lines in ${rows}`);
          for (const line of lines) assert(line.length <= columns, line);
          const told = lines.at(-1)?.match(/and (\d+) more/)?.[1];
          if (told !== undefined) assertEquals(Number(told) + lines.length - 2, count);
        }
      }
    }
  }
});

test("drawGet() cuts no number on a narrow terminal", () => {
  const progress = {
    bytes: 2 ** 20,
    totalBytes: 2 ** 22,
    resumedBytes: 0,
    bytesPerSecond: 2 ** 19,
    sockets: [SOCKET],
  };
  for (let columns = 24; columns <= 80; columns++) {
    const [total, socket] = drawGet(progress, columns, 24);
    assertMatch(total!, /( %|iB|iB\/s| s)$/, `${columns} columns`);
    assertMatch(socket!, /(:40123 *|iB\/s|iB|unit|=)$/, `${columns} columns`);
  }
});

test("formatSeconds() writes times for people", () => {
  const cases: [number, string][] = [
    [0.2, "1 s"],
    [59, "59 s"],
    [61, "2 min"],
    [3600, "1 h 0 min"],
    [7500, "2 h 5 min"],
    [1e9, "days"],
  ];
  for (const [seconds, text] of cases) assertEquals(formatSeconds(seconds), text);
});

test("jackfield get draws on a terminal, and leaves no drawing behind", {
  skip: existsSync("/usr/bin/script") ? false : "there is no script(1) to make a terminal",
}, async () => {
  const slow: Answer = async (asked) => {
    await new Promise((resolve) => setTimeout(resolve, 40));
    await good(asked);
  };
  await getting(slow, async ({ url, folder, to }) => {
    const typescript = folder.at("typescript");
    const command = commandOf(["get", url, "-o", to, "--unit", "16K"]).join(" ");
    const child = spawn("script", ["-qec", command, typescript], { stdio: "ignore", cwd: TOP });
    assertEquals(await new Promise((resolve) => child.once("close", resolve)), 0);
    const text = readFileSync(typescript, "utf8").replaceAll("\x1b", "ESC");
    assertMatch(text, /ESC\[K\[#*\.*\] +\d+ %/);
    assertMatch(text, /ESC\[K {2}127\.0\.0\.1:\d+ /);
    assertMatch(text, /ESC\[J/);
    assertStringIncludes(text, `SHA-256 ${sha256(BYTES)}`);
  });
});
