// What a path of a request may lead to: files under the root, and nothing else.
import { assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { basename } from "node:path";
import { test } from "../harness.ts";
import { textOf } from "../transport/tools.ts";
import { Folder, serving } from "./tools.ts";

/** Whether this system can make named pipes. */
const hasFifo = spawnSync("mkfifo", ["--version"], { stdio: "ignore" }).error === undefined;

test("serveDownloads() lets no path out of its folder", async () => {
  const outside = new Folder();
  try {
    outside.write("secret", "secret");
    outside.write("root/inside", "inside");
    outside.write("root-beside/secret", "secret");
    // Its real path begins with the root's, and is not under it.
    symlinkSync(outside.at("root-beside"), outside.at("root/beside"));
    const name = basename(outside.path);
    await serving(async ({ connect }) => {
      const client = await connect();
      const paths = [
        "/../secret",
        "/a/../../secret",
        "/./../secret",
        "/%2e%2e/secret",
        "/%2E%2E/secret",
        "/.%2e/secret",
        "/..%2fsecret",
        "/%2e%2e%2fsecret",
        "/..%5csecret",
        "/..\\secret",
        "/%c0%ae%c0%ae/secret", // overlong UTF-8 for ".."
        "/%c0%2e%c0%2e/secret",
        "/%e0%80%ae%e0%80%ae/secret",
        "/%c0%af..%c0%afsecret",
        "/%252e%252e/secret",
        "/inside/../../secret",
        "/inside%00/../../secret",
        "/inside%00",
        "/inside%00.txt",
        "/..%00/secret",
        "/...//secret",
        "//../secret",
        `/../${name}/secret`,
        "/../root-beside/secret",
        "/beside/secret",
        `${outside.path}/secret`,
        "/%2e",
        "/%zz",
        "/%",
        "/inside%2f",
        "/inside%5c",
      ];
      for (const path of paths) {
        const { status, body } = await client.request(`GET ${path}`);
        assertEquals([status, textOf(body).includes("secret")], [404, false], path);
      }
      assertEquals(textOf((await client.request("GET /inside")).body), "inside");
      assertEquals(textOf((await client.request("GET //%69nside?../secret")).body), "inside");
      const absolute = await client.request("GET http://elsewhere/inside");
      assertEquals(textOf(absolute.body), "inside");
    }, { root: outside.at("root") });
  } finally {
    outside.remove();
  }
});

test("serveDownloads() follows links that stay inside, and no others", async () => {
  const outside = new Folder();
  try {
    outside.write("secret/index.html", "secret");
    await serving(async ({ folder, connect }) => {
      folder.write("real/index.html", "inside");
      symlinkSync(folder.at("real/index.html"), folder.at("link"));
      symlinkSync("real", folder.at("folder"));
      symlinkSync(outside.at("secret/index.html"), folder.at("out"));
      symlinkSync(outside.at("secret"), folder.at("outfolder"));
      symlinkSync("..", folder.at("up"));
      symlinkSync("loop", folder.at("loop"));
      symlinkSync("nowhere", folder.at("broken"));
      mkdirSync(folder.at("trap"));
      symlinkSync(outside.at("secret/index.html"), folder.at("trap/index.html"));
      const client = await connect();
      for (const path of ["/link", "/folder/index.html", "/folder/"]) {
        const { status, body } = await client.request(`GET ${path}`);
        assertEquals([status, textOf(body)], [200, "inside"], path);
      }
      const leading = ["/out", "/outfolder/", "/outfolder", "/outfolder/index.html", "/trap/"];
      for (const path of [...leading, "/up", "/up/", "/loop", "/loop/", "/broken"]) {
        assertEquals((await client.request(`GET ${path}`)).status, 404, path);
      }
    });
  } finally {
    outside.remove();
  }
});

test("serveDownloads() serves a root that is a link, and follows it anew when it comes back", async () => {
  const folder = new Folder();
  try {
    folder.write("one/a", "inside");
    symlinkSync(folder.at("one"), folder.at("root"));
    await serving(async ({ connect }) => {
      const client = await connect();
      assertEquals(textOf((await client.request("GET /a")).body), "inside");
      renameSync(folder.at("one"), folder.at("two"));
      assertEquals((await client.request("GET /a")).status, 404);
      renameSync(folder.at("two"), folder.at("one"));
      assertEquals((await client.request("GET /a")).status, 200);
      rmSync(folder.at("one"), { recursive: true });
      assertEquals((await client.request("GET /a")).status, 404);
    }, { root: folder.at("root") });
  } finally {
    folder.remove();
  }
});

test("serveDownloads() hides names that begin with a dot", () =>
  serving(async ({ folder, connect }) => {
    folder.write(".env", "secret");
    folder.write(".git/config", "secret");
    folder.write("a/.hidden/b", "secret");
    folder.write("not.hidden", "seen");
    const client = await connect();
    for (
      const path of ["/.env", "/%2eenv", "/.git/config", "/.git/", "/a/.hidden/b", "/.", "/.."]
    ) {
      assertEquals((await client.request(`GET ${path}`)).status, 404, path);
    }
    assertEquals((await client.request("GET /not.hidden")).status, 200);
  }));

test("serveDownloads() serves names of all kinds", () =>
  serving(async ({ folder, connect }) => {
    const client = await connect();
    for (
      const name of ["a b", "über", "日本", "100%", "a+b", "q?x", "h#x", "a&b;c", "x".repeat(200)]
    ) {
      folder.write(name, name);
      const { status, body } = await client.request(`GET /${encodeURIComponent(name)}`);
      assertEquals([status, textOf(body)], [200, name]);
    }
  }));

test("serveDownloads() does not open a named pipe", {
  skip: hasFifo ? false : "no mkfifo",
}, () =>
  serving(async ({ folder, connect }) => {
    folder.write("a", "here");
    spawnSync("mkfifo", [folder.at("pipe")]);
    mkdirSync(folder.at("folder"));
    spawnSync("mkfifo", [folder.at("folder/index.html")]);
    const client = await connect();
    // Opening it would wait for a writer for ever.
    assertEquals((await client.request("GET /pipe")).status, 404);
    assertEquals((await client.request("GET /folder/")).status, 404);
    assertEquals((await client.request("GET /a")).status, 200);
  }));
