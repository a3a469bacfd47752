// Servers that know less than ours, or say something else than they were asked for.
import { assertEquals } from "@std/assert";
import { parallelGet, type ParallelGetOptions } from "../../mod.ts";
import { test } from "../harness.ts";
import { bytesOf, concat, pattern, rejection } from "../transport/tools.ts";
import { type Asked, headOf, partialHead, sendPart, sendText, withServer } from "./tools.ts";

const BYTES = pattern(10_000);
const OPTIONS: ParallelGetOptions = { sockets: 3, unitBytes: 1024, stallTimeoutMs: 10_000 };

/** The code that a transfer ends with when a server answers so. */
async function codeFor(answer: (asked: Asked) => Promise<unknown> | unknown): Promise<string> {
  let code = "";
  await withServer(answer, async ({ url }) => {
    code = (await rejection(parallelGet(url, OPTIONS))).code ?? "none";
  });
  return code;
}

test("parallelGet() reads the whole file from a server without ranges", async () => {
  const whole = async ({ socket }: Asked) => {
    const head = bytesOf(headOf(200, { "Content-Length": BYTES.byteLength }));
    await socket.write(concat([head, BYTES]));
  };
  await withServer(whole, async ({ url, asked }) => {
    const { data, totalBytes, sockets } = await parallelGet(url, OPTIONS);
    assertEquals([data, totalBytes], [BYTES, 10_000]);
    assertEquals([asked.length, sockets.length], [1, 1]);
  });
});

test("parallelGet() reads a body that ends with the connection", async () => {
  const whole = async ({ socket }: Asked) => {
    await socket.write(concat([bytesOf(headOf(200)), BYTES]));
    await socket.close();
  };
  await withServer(whole, async ({ url }) => {
    assertEquals((await parallelGet(url, OPTIONS)).data, BYTES);
  });
});

test("parallelGet() skips interim answers, and not without end", async () => {
  const hints = (count: number) => "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(count);
  const hinting = async (asked: Asked) => {
    await sendText(asked.socket, hints(3));
    await sendPart(asked, BYTES);
  };
  await withServer(hinting, async ({ url }) => {
    assertEquals((await parallelGet(url, OPTIONS)).data, BYTES);
  });
  const endless = async ({ socket }: Asked) => {
    for (;;) await sendText(socket, hints(100));
  };
  assertEquals(await codeFor(endless), "HTTP_BAD_RESPONSE");
});

test("parallelGet() works with a server that closes after every answer", async () => {
  const closing = async (asked: Asked) => {
    await sendPart(asked, BYTES, { Connection: "close" });
    await asked.socket.close();
  };
  await withServer(closing, async ({ url, sockets }) => {
    assertEquals((await parallelGet(url, OPTIONS)).data, BYTES);
    assertEquals(sockets.length, 10); // one for each unit
  });
});

test("parallelGet() reuses no connection on which more came than was asked for", async () => {
  const generous = async (asked: Asked) => {
    // With a long head so much is read at once that the surplus is read, too.
    const head = partialHead(asked, BYTES.byteLength, { Long: "x".repeat(2500) });
    const body = BYTES.subarray(asked.start, asked.end);
    await asked.socket.write(concat([bytesOf(head), body, bytesOf("more")]));
  };
  await withServer(generous, async ({ url, asked }) => {
    assertEquals((await parallelGet(url, OPTIONS)).data, BYTES);
    assertEquals(new Set(asked.map(({ connection }) => connection)).size, 10);
  });
});

test("parallelGet() asks for identity, with If-Range once it knows a strong ETag", async () => {
  for (const [etag, expected] of [['"one"', '"one"'], ['W/"one"', undefined]] as const) {
    await withServer((asked) => sendPart(asked, BYTES, { ETag: etag }), async ({ url, asked }) => {
      assertEquals((await parallelGet(url, OPTIONS)).data, BYTES);
      assertEquals(asked[0]!.fields.get("if-range"), undefined);
      for (const { fields } of asked) assertEquals(fields.get("accept-encoding"), "identity");
      for (const { fields } of asked.slice(1)) assertEquals(fields.get("if-range"), expected);
    });
  }
});

test("parallelGet() rejects with TRANSFER_FAILED when the file changes on the way", async () => {
  const other = pattern(10_000, 9);
  const cases: ((asked: Asked) => Promise<unknown>)[] = [
    // If-Range does not hold any more: the whole new file.
    (asked) =>
      asked.count < 3
        ? sendPart(asked, BYTES, { ETag: '"one"' })
        : sendText(asked.socket, headOf(200, { "Content-Length": 10_000 })),
    // It is shorter now.
    (asked) =>
      asked.count < 3
        ? sendPart(asked, BYTES)
        : sendText(asked.socket, headOf(416, { "Content-Length": 0 })),
    // The server knows only weak tags, and ignores If-Range.
    (asked) => sendPart(asked, asked.count < 3 ? BYTES : other, { ETag: `W/"${asked.count < 3}"` }),
    (asked) => sendPart(asked, asked.count < 3 ? BYTES : other, { ETag: `"${asked.count < 3}"` }),
    // And one that knows only dates.
    (asked) =>
      sendPart(asked, asked.count < 3 ? BYTES : other, {
        "Last-Modified": `Tue, 14 Nov 2023 22:13:2${asked.count < 3 ? 0 : 1} GMT`,
      }),
  ];
  for (const answer of cases) assertEquals(await codeFor(answer), "TRANSFER_FAILED");
});

test("parallelGet() takes a weak ETag that grows strong for the same file", async () => {
  const ageing = (asked: Asked) =>
    sendPart(asked, BYTES, { ETag: asked.count < 3 ? 'W/"one"' : '"one"' });
  await withServer(ageing, async ({ url }) => {
    assertEquals((await parallelGet(url, OPTIONS)).data, BYTES);
  });
});

test("parallelGet() rejects with HTTP_STATUS and the status for what is no file", async () => {
  for (const status of [301, 403, 404, 500, 503]) {
    for (const fields of [{}, { "Content-Encoding": "gzip" }]) {
      const answer = ({ socket }: Asked) =>
        sendText(socket, headOf(status, { "Content-Length": 0, ...fields }));
      await withServer(answer, async ({ url, asked }) => {
        const failure = await rejection(parallelGet(url, OPTIONS)) as { status?: number };
        assertEquals([(failure as Error & { code?: string }).code, failure.status], [
          "HTTP_STATUS",
          status,
        ]);
        assertEquals(asked.length, 1);
      });
    }
  }
  const later = (asked: Asked) =>
    asked.count === 0 ? sendPart(asked, BYTES) : sendText(asked.socket, headOf(404));
  assertEquals(await codeFor(later), "HTTP_STATUS");
});

test("parallelGet() rejects with HTTP_BAD_RESPONSE for what it did not ask for", async () => {
  const size = BYTES.byteLength;
  const firstOr = (other: (asked: Asked) => Promise<unknown>) => (asked: Asked) =>
    asked.count === 0 ? sendPart(asked, BYTES) : other(asked);
  const wrong = (fields: Record<string, string | number | undefined>) => (asked: Asked) =>
    sendPart(asked, BYTES, fields);
  const cases: ((asked: Asked) => Promise<unknown>)[] = [
    wrong({ "Content-Encoding": "gzip" }),
    wrong({ "Content-Range": undefined }),
    wrong({ "Content-Range": `bytes 1-1024/${size}` }),
    wrong({ "Content-Range": `bytes 0-1022/${size}` }),
    wrong({ "Content-Range": `bytes 0-1023/1000` }),
    wrong({ "Content-Range": `bytes 0-1023/*` }),
    wrong({ "Content-Length": 1000 }),
    wrong({ "Content-Length": undefined, "Transfer-Encoding": "chunked" }),
    firstOr(wrong({ "Content-Range": `bytes 0-1023/${size}` })),
    firstOr((asked) =>
      wrong({ "Content-Range": `bytes ${asked.start}-${asked.end - 1}/${size + 1}` })(asked)
    ),
    firstOr(wrong({ "Content-Encoding": "br" })),
    ({ socket }) => sendText(socket, headOf(200, { "Transfer-Encoding": "chunked" })),
    ({ socket }) => sendText(socket, "HTTP/2 200 OK\r\n\r\n"),
    ({ socket }) => sendText(socket, "nonsense\r\n\r\n"),
    ({ socket }) => sendText(socket, headOf(206, { "bad name": "x" })),
    ({ socket }) => sendText(socket, `HTTP/1.1 206 OK\r\nX: ${"x".repeat(100_000)}`),
  ];
  for (const [at, answer] of cases.entries()) {
    assertEquals(await codeFor(answer), "HTTP_BAD_RESPONSE", `case ${at}`);
  }
});

test("parallelGet() holds no more than maxDataBytes in memory", async () => {
  const options = { ...OPTIONS, maxDataBytes: 9999 };
  await withServer((asked) => sendPart(asked, BYTES), async ({ url, asked }) => {
    assertEquals((await rejection(parallelGet(url, options))).code, "TRANSFER_FAILED");
    assertEquals(asked.length, 1);
  });
  const endless = async ({ socket }: Asked) => {
    await sendText(socket, headOf(200));
    for (;;) await socket.write(BYTES);
  };
  await withServer(endless, async ({ url }) => {
    assertEquals((await rejection(parallelGet(url, options))).code, "TRANSFER_FAILED");
  });
});
