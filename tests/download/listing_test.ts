// What a folder gives: its index file, a list, or nothing.
import { mkdirSync, symlinkSync } from "node:fs";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { listingPage } from "../../src/download/listing.ts";
import { test } from "../harness.ts";
import { textOf } from "../transport/tools.ts";
import { serving } from "./tools.ts";

test("directories: list shows what a folder has, and nothing that is hidden or leads out", () =>
  serving(async ({ folder, connect }) => {
    folder.write("b.txt", "12345");
    folder.write("a&<b>.txt", "x");
    folder.write(".secret", "x");
    folder.write("inner/c.txt", "x");
    mkdirSync(folder.at("z:empty"));
    symlinkSync("/etc/passwd", folder.at("out"));
    symlinkSync("b.txt", folder.at("link.txt"));
    const client = await connect();
    const { status, fields, body } = await client.request("GET /");
    assertEquals([status, fields.get("content-type")], [200, "text/html; charset=utf-8"]);
    const page = textOf(body);
    assertEquals([...page.matchAll(/<a href="([^"]*)"/g)].map(([, href]) => href), [
      "./inner/",
      "./z%3Aempty/",
      "./a%26%3Cb%3E.txt",
      "./b.txt",
      "./link.txt",
    ]);
    assertStringIncludes(page, "a&amp;&lt;b&gt;.txt</a></td><td>1</td>");
    assert(!page.includes("secret") && !page.includes("out"));
    const head = await client.request("HEAD /");
    assertEquals(head.fields.get("content-length"), String(body.byteLength));
    const inner = textOf((await client.request("GET /inner/")).body);
    assertStringIncludes(inner, '<a href="../">');
    assertStringIncludes(inner, "<title>/inner/</title>");
    assertEquals((await client.request("GET /inner?x=1")).fields.get("location"), "./inner/?x=1");
    folder.write("inner/index.html", "<p>index");
    assertEquals(textOf((await client.request("GET /inner/")).body), "<p>index");
  }, { directories: "list" }));

test("directories: index gives no list, none gives nothing", async () => {
  for (const directories of ["index", "none"] as const) {
    await serving(async ({ folder, connect }) => {
      folder.write("bare/a", "x");
      folder.write("full/index.html", "<p>index");
      folder.write("full/a", "x");
      const client = await connect();
      assertEquals((await client.request("GET /bare/")).status, 404);
      const expected = directories === "index" ? 200 : 404;
      assertEquals((await client.request("GET /full/")).status, expected, directories);
      assertEquals((await client.request("GET /full/a")).status, 200);
    }, { directories });
  }
});

test("listingPage() says when a list is cut, and cannot be broken out of", () => {
  const name = `"><script>'&`;
  const page = listingPage("/<b>/", [{ name, kind: "file", size: 1 }], true);
  assert(!page.includes("<script>") && !page.includes("<b>"));
  assertStringIncludes(page, "Only the first 1 names");
});
