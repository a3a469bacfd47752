import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { parallelGet, type ParallelGetOptions } from "../../mod.ts";
import { test } from "../harness.ts";
import { Folder } from "../download/tools.ts";
import { bytesOf, concat, fixture, pattern, rejection, sha256 } from "../transport/tools.ts";
import { type Asked, headOf, sendFile, sendText, withServer } from "./tools.ts";

const BYTES = pattern(3_000_000);
const CERT = { cert: fixture("tls/server.pem"), key: fixture("tls/server.key") };
const TRUSTED = { caCerts: [fixture("tls/ca.pem")] };
const OPTIONS: ParallelGetOptions = { sockets: 4, backoffMs: 1, tls: TRUSTED };
const SECURED = { listen: { tls: CERT } };

test("parallelGet() fetches over several secured sockets, and verifies the server", async () => {
  const folder = new Folder();
  try {
    await withServer((asked) => sendFile(asked, BYTES), async ({ url, asked }) => {
      assert(url.startsWith("https://127.0.0.1:"));
      const to = folder.at("copy.bin");
      const { digest, sockets } = await parallelGet(url, { ...OPTIONS, to, unitBytes: 100_000 });
      assertEquals([digest, sockets.length], [sha256(BYTES), 4]);
      assertEquals(sha256(readFileSync(to)), sha256(BYTES));
      assertEquals(asked[0]!.fields.get("host"), new URL(url).host);
    }, SECURED);
  } finally {
    folder.remove();
  }
});

test("parallelGet() says so when the certificate is not trusted, or carries another name", async () => {
  await withServer((asked) => sendFile(asked, BYTES), async ({ url, asked }) => {
    const cases = [{}, { tls: { ...TRUSTED, serverName: "other.example" } }];
    for (const options of cases) {
      const error = await rejection(parallelGet(url, options));
      assertEquals([error.code, (error as { reason?: string }).reason], ["CONNECT_FAILED", "tls"]);
    }
    const named = { tls: { ...TRUSTED, serverName: "jackfield.test" } };
    assertEquals((await parallelGet(url, named)).digest, sha256(BYTES));
    assert(asked.length > 0);
  }, SECURED);
});

test("parallelGet() follows a redirect from http to https, and none back", async () => {
  const to = (location: string) => ({ socket }: Asked) =>
    sendText(socket, headOf(302, { Location: location, "Content-Length": 0 }));
  await withServer((asked) => sendFile(asked, BYTES), async (secured) => {
    await withServer(to(secured.url), async ({ url }) => {
      const result = await parallelGet(url, OPTIONS);
      assertEquals([result.digest, result.url], [sha256(BYTES), secured.url]);
    });
  }, SECURED);
  await withServer((asked) => sendFile(asked, BYTES), async (plain) => {
    await withServer(to(plain.url), async ({ url }) => {
      const error = await rejection(parallelGet(url, OPTIONS));
      assertEquals(error.code, "HTTP_BAD_RESPONSE");
      assert(error.message.includes("not secured"), error.message);
      assertEquals(plain.asked.length, 0);
    }, SECURED);
  });
});

test("parallelGet() reads secured files that are whole, chunked, or end with the connection", async () => {
  const answers = [
    { head: headOf(200, { "Content-Length": BYTES.byteLength }), body: BYTES },
    {
      head: headOf(200, { "Transfer-Encoding": "chunked" }),
      body: concat([
        bytesOf(`${BYTES.byteLength.toString(16)}\r\n`),
        BYTES,
        bytesOf("\r\n0\r\n\r\n"),
      ]),
    },
    { head: headOf(200), body: BYTES },
  ];
  for (const { head, body } of answers) {
    const answer = async ({ socket }: Asked) => {
      await socket.write(concat([bytesOf(head), body]));
      await socket.close();
    };
    await withServer(answer, async ({ url }) => {
      assertEquals((await parallelGet(url, OPTIONS)).digest, sha256(BYTES), head);
    }, SECURED);
  }
});
