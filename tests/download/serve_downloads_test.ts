import { assert, assertEquals, assertMatch } from "@std/assert";
import { utimesSync } from "node:fs";
import { test } from "../harness.ts";
import { textOf } from "../transport/tools.ts";
import { serving } from "./tools.ts";

test("serveDownloads() sends a whole file with its facts", () =>
  serving(async ({ folder, connect }) => {
    const bytes = folder.fill("a.bin", 700_001);
    const { status, fields, body } = await (await connect()).request("GET /a.bin?x=1");
    assertEquals(status, 200);
    assertEquals(body, bytes);
    assertEquals(fields.get("content-length"), "700001");
    assertEquals(fields.get("content-type"), "application/octet-stream");
    assertEquals(fields.get("accept-ranges"), "bytes");
    assertEquals(fields.get("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
    assertEquals(fields.get("x-content-type-options"), "nosniff");
    assertMatch(fields.get("etag")!, /^"[^"]+"$/);
    assertEquals(fields.has("content-range"), false);
  }));

test("serveDownloads() answers HEAD with the head of GET and nothing else", () =>
  serving(async ({ folder, connect }) => {
    folder.fill("a.bin", 5000);
    const client = await connect();
    const got = await client.request("GET /a.bin");
    const asked = await client.request("HEAD /a.bin");
    const missing = await client.request("HEAD /b.bin");
    assertEquals(asked.status, 200);
    assertEquals(missing.status, 404);
    const facts = ({ fields }: typeof got) => [...fields].filter(([name]) => name !== "date");
    assertEquals(facts(asked), facts(got));
    assertEquals((await client.request("GET /a.bin")).body, got.body); // nothing was left over
  }));

test("serveDownloads() ignores Range in HEAD (RFC 9110, section 14.2)", () =>
  serving(async ({ folder, connect }) => {
    folder.fill("a.bin", 5000);
    const { status, fields } = await (await connect()).request("HEAD /a.bin", {
      Range: "bytes=10-19",
    });
    assertEquals([status, fields.get("content-length")], [200, "5000"]);
  }));

test("serveDownloads() sends the range that was asked for", () =>
  serving(async ({ folder, connect }) => {
    const bytes = folder.fill("a.bin", 1000);
    const client = await connect();
    const cases: [string, number, number][] = [
      ["bytes=0-0", 0, 1],
      ["bytes=100-199", 100, 200],
      ["bytes=990-", 990, 1000],
      ["bytes=-1", 999, 1000],
      ["bytes=-5000", 0, 1000],
      ["bytes=0-999", 0, 1000],
      ["bytes=500-99999999999999999999", 500, 1000],
    ];
    for (const [Range, start, end] of cases) {
      const { status, fields, body } = await client.request("GET /a.bin", { Range });
      assertEquals(status, 206, Range);
      assertEquals(fields.get("content-range"), `bytes ${start}-${end - 1}/1000`, Range);
      assertEquals(body, bytes.slice(start, end), Range);
    }
  }));

test("serveDownloads() answers 416 for a range behind the end", () =>
  serving(async ({ folder, connect }) => {
    folder.fill("a.bin", 1000);
    folder.write("empty", "");
    const client = await connect();
    const cases = [["a.bin", "bytes=1000-"], ["a.bin", "bytes=-0"], ["empty", "bytes=0-"]];
    for (const [name, Range] of cases) {
      const { status, fields } = await client.request(`GET /${name}`, { Range: Range! });
      assertEquals(status, 416, Range);
      assertEquals(fields.get("content-range"), `bytes */${name === "empty" ? 0 : 1000}`);
    }
    const whole = await client.request("GET /empty");
    assertEquals([whole.status, whole.body.byteLength], [200, 0]);
  }));

test("serveDownloads() sends everything when it cannot follow a Range", () =>
  serving(async ({ folder, connect }) => {
    const bytes = folder.fill("a.bin", 1000);
    const client = await connect();
    for (const Range of ["bytes=0-1,9-3", "bytes=9-3", "lines=0-1", "bytes=a-b", "bytes=-"]) {
      const { status, body } = await client.request("GET /a.bin", { Range });
      assertEquals([status, body], [200, bytes], Range);
    }
  }));

test("serveDownloads() lets a Range count only while If-Range holds", () =>
  serving(async ({ folder, connect }) => {
    folder.fill("a.bin", 1000);
    const client = await connect();
    const { fields } = await client.request("HEAD /a.bin");
    const etag = fields.get("etag")!;
    const date = fields.get("last-modified")!;
    const statusFor = async (condition: string) =>
      (await client.request("GET /a.bin", { Range: "bytes=0-9", "If-Range": condition })).status;
    assertEquals(await statusFor(etag), 206);
    assertEquals(await statusFor(date), 206);
    assertEquals(await statusFor(`W/${etag}`), 200);
    assertEquals(await statusFor('"another"'), 200);
    assertEquals(await statusFor("Tue, 14 Nov 2023 22:13:21 GMT"), 200);
    assertEquals(await statusFor("Tue, 14 Nov 2023 22:13:19 GMT"), 200);
    folder.write("a.bin", "changed");
    utimesSync(folder.at("a.bin"), 1_700_000_100, 1_700_000_100);
    assertEquals(await statusFor(etag), 200);
    assertEquals(await statusFor(date), 200);
  }));

test("serveDownloads() gives a file that was just written a weak ETag", () =>
  serving(async ({ folder, connect }) => {
    folder.write("a.txt", "fresh");
    const now = Date.now() / 1000;
    utimesSync(folder.at("a.txt"), now, now);
    const client = await connect();
    const { fields } = await client.request("HEAD /a.txt");
    const etag = fields.get("etag")!;
    assert(etag.startsWith('W/"'), etag);
    for (const condition of [etag, etag.slice(2), fields.get("last-modified")!]) {
      const { status } = await client.request("GET /a.txt", {
        Range: "bytes=0-0",
        "If-Range": condition,
      });
      assertEquals(status, 200, condition);
    }
  }));

test("serveDownloads() answers 404 for what is not there and 405 for other methods", () =>
  serving(async ({ folder, connect }) => {
    folder.write("a.txt", "x");
    const client = await connect();
    assertEquals((await client.request("GET /b.txt")).status, 404);
    assertEquals((await client.request("GET /a.txt/")).status, 404);
    assertEquals((await client.request("GET /a.txt/b")).status, 404);
    assertEquals((await client.request(`GET /${"n".repeat(300)}`)).status, 404);
    for (const method of ["POST", "DELETE", "OPTIONS", "PATCH"]) {
      const { status, fields } = await client.request(`${method} /a.txt`);
      assertEquals([status, fields.get("allow")], [405, "GET, HEAD"], method);
    }
    assertEquals((await client.request("get /a.txt")).status, 501); // a method of its own
    assertEquals((await client.request("GET /a.txt")).status, 200); // still the same connection
  }));

test("serveDownloads() redirects to a folder's slash and serves its index.html", () =>
  serving(async ({ folder, connect }) => {
    folder.write("index.html", "<p>top");
    folder.write("a b/index.html", "<p>inner");
    folder.write("bare/file", "x");
    const client = await connect();
    assertEquals(textOf((await client.request("GET /")).body), "<p>top");
    const moved = await client.request("GET /a%20b");
    assertEquals([moved.status, moved.fields.get("location")], [301, "./a%20b/"]);
    const inner = await client.request("GET /a%20b/");
    assertEquals([inner.status, textOf(inner.body)], [200, "<p>inner"]);
    assertEquals(inner.fields.get("content-type"), "text/html; charset=utf-8");
    assertEquals((await client.request("GET /bare/")).status, 404);
    // `//bare` read as a reference would lead to the host "bare".
    assertEquals((await client.request("GET //bare")).fields.get("location"), "./bare/");
  }));

test("serveDownloads() names the content type by the file's name", () =>
  serving(async ({ folder, connect }) => {
    const client = await connect();
    const cases: [string, string][] = [
      ["a.txt", "text/plain; charset=utf-8"],
      ["a.html", "text/html; charset=utf-8"],
      ["a.json", "application/json"],
      ["a.svg", "image/svg+xml"],
      ["a.png", "image/png"],
      ["A.PDF", "application/pdf"],
      ["a.unheard-of", "application/octet-stream"],
      ["none", "application/octet-stream"],
    ];
    for (const [name, type] of cases) {
      folder.write(name, "x");
      assertEquals((await client.request(`HEAD /${name}`)).fields.get("content-type"), type, name);
    }
  }));
