import { assertEquals } from "@std/assert";
import { parallelGet, type ParallelGetOptions } from "../../mod.ts";
import { test } from "../harness.ts";
import { pattern, rejection } from "../transport/tools.ts";
import { type Asked, headOf, sendFile, sendText, withServer } from "./tools.ts";

const BYTES = pattern(10_000);
const OPTIONS: ParallelGetOptions = { sockets: 3, unitBytes: 1024, backoffMs: 1 };

const redirect = ({ socket }: Asked, location: string, status = 302) =>
  sendText(socket, headOf(status, { Location: location, "Content-Length": 0 }));

test("parallelGet() follows redirects of every kind, and asks for the parts at the end of them", async () => {
  const answer = (asked: Asked) => {
    const next = { "/file.bin": "a", "/a": "/b?x", "/b?x": "./c#y", "/c": "//HOST/d" }[asked.path];
    if (next === undefined) return sendFile(asked, BYTES);
    const status = [301, 302, 303, 307, 308][asked.count]!;
    return redirect(asked, next.replace("HOST", asked.fields.get("host")!), status);
  };
  await withServer(answer, async ({ url, asked }) => {
    const result = await parallelGet(url, OPTIONS);
    assertEquals([result.data, result.url], [BYTES, new URL("/d", url).href]);
    const paths = asked.map(({ path }) => path);
    assertEquals(paths.slice(0, 5), ["/file.bin", "/a", "/b?x", "/c", "/d"]);
    assertEquals(new Set(paths.slice(4)), new Set(["/d"]));
  });
});

test("parallelGet() follows a redirect to another server, and leaves the caller's headers behind", async () => {
  const there = (asked: Asked) => sendFile(asked, BYTES);
  await withServer(there, async (target) => {
    await withServer((asked) => redirect(asked, target.url), async ({ url, asked, sockets }) => {
      const headers = { Authorization: "Bearer secret", Cookie: "a=b", "X-Key": "c" };
      const result = await parallelGet(url, { ...OPTIONS, headers });
      assertEquals([result.data, result.url], [BYTES, target.url]);
      assertEquals([asked.length, sockets.length], [1, 1]);
      assertEquals(asked[0]!.fields.get("authorization"), "Bearer secret");
      for (const { fields } of target.asked) {
        for (const name of Object.keys(headers)) {
          assertEquals(fields.get(name.toLowerCase()), undefined);
        }
      }
    });
  });
});

test("parallelGet() follows as many redirects as it may, and not one more", async () => {
  const answer = (asked: Asked) =>
    asked.count < 5 ? redirect(asked, `/${asked.count}`) : sendFile(asked, BYTES);
  await withServer(answer, async ({ url }) => {
    assertEquals((await parallelGet(url, { ...OPTIONS, maxRedirects: 5 })).data, BYTES);
  });
  for (const maxRedirects of [0, 4]) {
    await withServer(answer, async ({ url, asked }) => {
      const error = await rejection(parallelGet(url, { ...OPTIONS, maxRedirects }));
      assertEquals(error.code, "HTTP_BAD_RESPONSE");
      assertEquals(error.message.includes(`more than ${maxRedirects} redirects`), true);
      assertEquals(asked.length, maxRedirects + 1);
    });
  }
});

test("parallelGet() says what failed where a redirect leads", async () => {
  const cases: [string, string][] = [
    ["http://127.0.0.1:1/x", "CONNECT_FAILED"],
    ["http://name.invalid/x", "CONNECT_FAILED"],
    ["ftp://127.0.0.1/x", "HTTP_BAD_RESPONSE"],
    ["http://me:secret@127.0.0.1/x", "HTTP_BAD_RESPONSE"],
  ];
  for (const [location, code] of cases) {
    await withServer((asked) => redirect(asked, location), async ({ url }) => {
      assertEquals((await rejection(parallelGet(url, OPTIONS))).code, code, location);
    });
  }
});
