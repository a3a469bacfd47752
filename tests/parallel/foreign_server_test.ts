// Servers that know less than ours: no ranges, no validators, no length, other ways to end a body.
import { assertEquals } from "@std/assert";
import { parallelGet, type ParallelGetOptions } from "../../mod.ts";
import { test } from "../harness.ts";
import { bytesOf, concat, pattern, rejection } from "../transport/tools.ts";
import {
  type Asked,
  headOf,
  partialHead,
  sendFile,
  sendPart,
  sendText,
  sendWhole,
  withServer,
} from "./tools.ts";

const BYTES = pattern(10_000);
const OPTIONS: ParallelGetOptions = {
  sockets: 3,
  unitBytes: 1024,
  stallTimeoutMs: 10_000,
  backoffMs: 1,
};

/** Bytes as chunks of a chunked body, of so many bytes each. */
function chunked(bytes: Uint8Array, chunkBytes: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes);
    parts.push(bytesOf(`${part.byteLength.toString(16)};x="y"\r\n`), part, bytesOf("\r\n"));
  }
  return concat([...parts, bytesOf("0\r\nTrailer: x\r\n\r\n")]);
}

/** What a transfer from such a server gives, and how many requests it took. */
async function getFrom(
  answer: (asked: Asked) => Promise<unknown> | unknown,
): Promise<{ reason: string | undefined; requests: number; sockets: number }> {
  let outcome: Awaited<ReturnType<typeof getFrom>> | undefined;
  await withServer(answer, async ({ url, asked }) => {
    const { data, totalBytes, sockets, oneSocketReason } = await parallelGet(url, OPTIONS);
    assertEquals([data, totalBytes], [BYTES, 10_000]);
    outcome = { reason: oneSocketReason, requests: asked.length, sockets: sockets.length };
  });
  return outcome!;
}

test("parallelGet() reads the whole file from a server without ranges", async () => {
  const whole = (asked: Asked) => sendWhole(asked, BYTES);
  assertEquals(await getFrom(whole), { reason: "no-ranges", requests: 1, sockets: 1 });
});

test("parallelGet() reads a body that ends with the connection", async () => {
  for (const version of ["1.0", "1.1"]) {
    const whole = async ({ socket }: Asked) => {
      const head = headOf(200).replace("HTTP/1.1", `HTTP/${version}`);
      await socket.write(concat([bytesOf(head), BYTES]));
      await socket.close();
    };
    assertEquals(await getFrom(whole), { reason: "no-ranges", requests: 1, sockets: 1 });
  }
});

test("parallelGet() reads a chunked body, with chunks of any size", async () => {
  for (const size of [1, 100, 9999, 10_000]) {
    const whole = async ({ socket }: Asked) => {
      const head = bytesOf(headOf(200, { "Transfer-Encoding": "chunked" }));
      await socket.write(concat([head, chunked(BYTES, size)]));
    };
    assertEquals(await getFrom(whole), { reason: "no-ranges", requests: 1, sockets: 1 });
  }
});

test("parallelGet() reads parts that are chunked, and reuses their connections", async () => {
  const parts = async (asked: Asked) => {
    const fields = { "Content-Length": undefined, "Transfer-Encoding": "chunked" };
    const head = bytesOf(partialHead(asked, BYTES.byteLength, fields));
    const body = chunked(BYTES.subarray(asked.start, asked.end), 300);
    await asked.socket.write(concat([head, body]));
  };
  assertEquals(await getFrom(parts), { reason: undefined, requests: 10, sockets: 3 });
});

test("parallelGet() begins a whole file anew when its connection breaks", async () => {
  const breaking = async (asked: Asked) => {
    if (asked.count >= 2) return await sendWhole(asked, BYTES);
    const head = headOf(200, { "Content-Length": BYTES.byteLength });
    await asked.socket.write(concat([bytesOf(head), BYTES.subarray(0, 5000)]));
    asked.socket.abort();
  };
  assertEquals((await getFrom(breaking)).requests, 3);
  await withServer(async (asked) => {
    await sendText(asked.socket, headOf(200, { "Content-Length": 10_000 }));
    await asked.socket.close();
  }, async ({ url, asked }) => {
    assertEquals((await rejection(parallelGet(url, OPTIONS))).code, "TRANSFER_FAILED");
    assertEquals(asked.length, 4);
  });
});

test("parallelGet() uses one socket where parts could not be told to be of one file", async () => {
  const now = Date.UTC(2024, 0, 1);
  const date = (ms: number) => new Date(ms).toUTCString();
  const cases: Record<string, string | undefined>[] = [
    { ETag: undefined },
    { ETag: 'W/"one"' },
    { ETag: "one" }, // not well-formed
    // A weak tag says that the content may change behind it, whatever the date says.
    { ETag: 'W/"one"', "Last-Modified": date(now - 1e9), Date: date(now) },
    // Without a date of the answer nobody knows how old that is, and within a minute it may change.
    { ETag: undefined, "Last-Modified": date(now - 1e9) },
    { ETag: undefined, "Last-Modified": date(now - 59_000), Date: date(now) },
    { ETag: undefined, "Last-Modified": "yesterday", Date: date(now) },
  ];
  for (const fields of cases) {
    const answer = (asked: Asked) => sendFile(asked, BYTES, fields);
    assertEquals(await getFrom(answer), { reason: "no-validator", requests: 2, sockets: 1 });
  }
});

test("parallelGet() takes a Last-Modified that is older than a minute for a validator", async () => {
  const modified = new Date(1_700_000_000_000).toUTCString();
  const fields = {
    ETag: undefined,
    "Last-Modified": modified,
    Date: new Date(1_700_000_060_000).toUTCString(),
  };
  await withServer((asked) => sendPart(asked, BYTES, fields), async ({ url, asked }) => {
    const { data, oneSocketReason } = await parallelGet(url, OPTIONS);
    assertEquals([data, oneSocketReason], [BYTES, undefined]);
    for (const { fields } of asked.slice(1)) assertEquals(fields.get("if-range"), modified);
  });
});

test("parallelGet() needs no validator when the first answer brings everything", async () => {
  const answer = (asked: Asked) => sendPart(asked, BYTES, { ETag: undefined });
  await withServer(answer, async ({ url, asked }) => {
    const { data, oneSocketReason } = await parallelGet(url, { ...OPTIONS, unitBytes: 20_000 });
    assertEquals([data, oneSocketReason, asked.length], [BYTES, undefined, 1]);
  });
});

test("parallelGet() asks for the whole file when a part does not say of how many bytes", async () => {
  const unknown = (asked: Asked) => {
    const range = `bytes ${asked.start}-${asked.end - 1}/*`;
    return asked.isRanged
      ? sendPart(asked, BYTES, { "Content-Range": range })
      : sendWhole(asked, BYTES, { ETag: undefined });
  };
  assertEquals(await getFrom(unknown), { reason: "no-length", requests: 2, sockets: 1 });
});

test("parallelGet() asks for the whole file when no part can be had", async () => {
  const strict = (asked: Asked) =>
    asked.isRanged
      ? sendText(asked.socket, headOf(416, { "Content-Length": 0 }))
      : sendWhole(asked, BYTES);
  assertEquals(await getFrom(strict), { reason: "no-ranges", requests: 2, sockets: 1 });
});

test("parallelGet() takes parts that are shorter than it asked for", async () => {
  const stingy = (asked: Asked) =>
    sendPart({ ...asked, end: Math.min(asked.end, asked.start + 700) }, BYTES);
  const { reason, requests } = await getFrom(stingy);
  assertEquals([reason, requests], [undefined, 20]);
});

test("parallelGet() skips interim answers, and not without end", async () => {
  const hints = (count: number) => "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(count);
  const hinting = async (asked: Asked) => {
    await sendText(asked.socket, hints(3));
    await sendPart(asked, BYTES);
  };
  assertEquals((await getFrom(hinting)).requests, 10);
  const endless = async ({ socket }: Asked) => {
    for (;;) await sendText(socket, hints(100));
  };
  await withServer(endless, async ({ url }) => {
    assertEquals((await rejection(parallelGet(url, OPTIONS))).code, "HTTP_BAD_RESPONSE");
  });
});

test("parallelGet() works with a server that closes after every answer", async () => {
  const closing = async (asked: Asked) => {
    await sendPart(asked, BYTES, { Connection: "close" });
    await asked.socket.close();
  };
  assertEquals((await getFrom(closing)).sockets, 10); // one for each unit
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

test("parallelGet() asks for identity and a digest, with If-Range from the second part on", async () => {
  await withServer((asked) => sendPart(asked, BYTES), async ({ url, asked }) => {
    assertEquals((await parallelGet(url, OPTIONS)).data, BYTES);
    assertEquals(asked[0]!.fields.get("if-range"), undefined);
    assertEquals(asked[0]!.fields.get("want-repr-digest"), "sha-256=10");
    for (const { fields } of asked) assertEquals(fields.get("accept-encoding"), "identity");
    for (const { fields } of asked.slice(1)) assertEquals(fields.get("if-range"), '"one"');
  });
});

test("parallelGet() tries a server again that is busy, as late as it asks for", async () => {
  for (const status of [408, 429, 500, 502, 503, 504]) {
    const busy = (asked: Asked) =>
      asked.count % 3 === 0
        ? sendText(asked.socket, headOf(status, { "Content-Length": 0, "Retry-After": "0" }))
        : sendPart(asked, BYTES);
    await withServer(busy, async ({ url }) => {
      assertEquals((await parallelGet(url, OPTIONS)).data, BYTES, `status ${status}`);
    });
  }
  const busy = (asked: Asked) =>
    asked.count === 0
      ? sendText(asked.socket, headOf(503, { "Content-Length": 0, "Retry-After": "1" }))
      : sendPart(asked, BYTES);
  await withServer(busy, async ({ url }) => {
    const start = performance.now();
    await parallelGet(url, OPTIONS);
    assertEquals(performance.now() - start >= 990, true);
  });
});

test("parallelGet() goes on with fewer sockets when a server turns the others away", async () => {
  // As nginx does with limit_conn: each connection more than two is answered with 503.
  const limited = async (asked: Asked) => {
    if (asked.connection < 2) return await sendPart(asked, BYTES);
    await sendText(asked.socket, headOf(503, { "Content-Length": 0, Connection: "close" }));
    await asked.socket.close();
  };
  await withServer(limited, async ({ url }) => {
    const { data, sockets } = await parallelGet(url, { ...OPTIONS, sockets: 6 });
    assertEquals([data, sockets.length], [BYTES, 2]);
  });
  await withServer(limited, async ({ url }) => {
    const start = performance.now();
    const { data } = await parallelGet(url, { ...OPTIONS, sockets: 6, backoffMs: 20_000 });
    assertEquals(data, BYTES);
    // Who pauses does not hold up the end.
    assertEquals(performance.now() - start < 5000, true);
  });
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

test("parallelGet() sends the fields that it is given with every request", async () => {
  await withServer((asked) => sendPart(asked, BYTES), async ({ url, asked }) => {
    const headers = { Authorization: "Bearer x", Accept: "image/png" };
    await parallelGet(url, { ...OPTIONS, headers });
    for (const { fields } of asked) {
      assertEquals([fields.get("authorization"), fields.get("accept")], ["Bearer x", "image/png"]);
    }
  });
});
