// Decisions of the application: who is served, with which file, and what is said with it.
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { DownloadRequest } from "../../mod.ts";
import { test } from "../harness.ts";
import { textOf } from "../transport/tools.ts";
import { expectErrors, expectStats, serving } from "./tools.ts";

test("authorize decides over every request, and can refuse in words of its own", () => {
  const asked: DownloadRequest[] = [];
  return serving(async ({ folder, server, errors, connect }) => {
    folder.write("a", "here");
    const client = await connect();
    assertEquals((await client.request("GET /a")).status, 403);
    const refused = await client.request("GET /a?refuse");
    assertEquals([refused.status, textOf(refused.body)], [401, "Say who you are.\n"]);
    assertEquals(refused.fields.get("www-authenticate"), "Basic");
    const broken = await client.request("GET /a", { Authorization: "broken" });
    assertEquals([broken.status, textOf(broken.body).includes("secret")], [500, false]);
    const good = await client.request("GET /a", { Authorization: "good" });
    assertEquals([good.status, textOf(good.body)], [200, "here"]);
    assertEquals(asked.length, 4);
    assertEquals(asked[0]!.remoteAddress, client.socket.localAddress);
    assertEquals([asked[0]!.method, asked[0]!.target, asked[0]!.host], ["GET", "/a", "localhost"]);
    await expectErrors(errors, 1);
    assert(errors[0]!.includes("secret"), errors[0]);
    await expectStats(server, { active: 0, finished: 4 });
  }, {
    authorize: async (request) => {
      asked.push(request);
      await Promise.resolve();
      if (request.target === "/a?refuse") {
        const fields = [["WWW-Authenticate", "Basic"]] as const;
        return { status: 401, text: "Say who you are.\n", fields };
      }
      if (request.fields.get("authorization") === "broken") throw new Error("a secret broke");
      return request.fields.get("authorization") === "good";
    },
  });
});

test("authorize cannot answer with what is no refusal", () =>
  serving(async ({ folder, errors, connect }) => {
    folder.write("a", "here");
    assertEquals((await (await connect()).request("GET /a")).status, 500);
    await expectErrors(errors, 1);
  }, { authorize: () => ({ status: 200 }) }));

test("resolve names the file within the root, which it cannot leave", () => {
  const paths: Record<string, string | undefined> = {
    "/report": "2026/report.txt",
    "/up": "../../etc/passwd",
    "/absolute": "/etc/passwd",
    "/hidden": ".secret",
    "/percent": "100%25.txt",
    "/none": undefined,
  };
  return serving(async ({ folder, connect }) => {
    folder.write("2026/report.txt", "figures");
    folder.write("100%25.txt", "plain");
    folder.write(".secret", "hidden");
    const client = await connect();
    const report = await client.request("GET /report?x=1");
    assertEquals([report.status, textOf(report.body)], [200, "figures"]);
    assertEquals(report.fields.get("content-type"), "text/plain; charset=utf-8");
    assertEquals(textOf((await client.request("GET /percent")).body), "plain");
    for (const target of ["/up", "/absolute", "/hidden", "/none"]) {
      assertEquals((await client.request(`GET ${target}`)).status, 404, target);
    }
  }, { resolve: ({ target }) => paths[target.split("?")[0]!] });
});

test("headers go with a file's bytes, and cannot break its head", () =>
  serving(async ({ folder, connect }) => {
    folder.write("a.txt", "here");
    folder.write("b.txt", "there");
    const client = await connect();
    const { fields } = await client.request("GET /a.txt");
    assertEquals(fields.get("x-file"), "a.txt 4");
    assertEquals(fields.get("x-target"), "/a.txt");
    const part = await client.request("HEAD /a.txt", { Range: "bytes=0-0" });
    assertEquals(part.fields.get("x-file"), "a.txt 4");
    assertEquals((await client.request("GET /b.txt")).status, 500);
    const missing = await client.request("GET /c.txt");
    assertEquals([missing.status, missing.fields.get("x-file")], [404, undefined]);
  }, {
    headers: (file, request) => [
      ["X-File", `${file.path} ${file.size}`],
      ["X-Target", file.path === "b.txt" ? "a\r\nSet-Cookie: x" : request.target],
    ],
  }));

test("cacheControl and disposition go with every file", async () => {
  await serving(async ({ folder, connect }) => {
    folder.write("näme.txt", "here");
    const client = await connect();
    const { fields } = await client.request("GET /n%C3%A4me.txt");
    assertEquals(fields.get("cache-control"), "public, max-age=60");
    const name = `filename="name.txt"; filename*=UTF-8''n%C3%A4me.txt`;
    assertEquals(fields.get("content-disposition"), `attachment; ${name}`);
    assertEquals((await client.request("GET /b")).fields.get("cache-control"), undefined);
  }, { cacheControl: "public, max-age=60", disposition: "attachment" });
  const bad = () => serving(async () => {}, { cacheControl: "a\r\nb" });
  await assertRejects(bad, TypeError, "Cache-Control");
});

test("hooks that say whose request it is may fail: that request alone is answered 500", () =>
  serving(async ({ folder, server, errors, connect }) => {
    folder.write("a", "here");
    const client = await connect();
    assertEquals((await client.request("GET /a?broken")).status, 500);
    assertEquals((await client.rest()).byteLength, 0);
    assertEquals((await (await connect()).request("GET /a")).status, 200);
    assertEquals((await (await connect()).request("GET /a?priority")).status, 500);
    assertEquals((await (await connect()).request("GET /a?weight")).status, 500);
    await expectErrors(errors, 3);
    await expectStats(server, { active: 0, queued: 0, finished: 1, refused: 3 });
  }, {
    clientOf: ({ target }) => {
      if (target.endsWith("broken")) throw new Error("broken");
      return target;
    },
    priorityOf: ({ target }) => target.endsWith("priority") ? 99 : 0,
    weightOf: (client) => client.endsWith("weight") ? 0 : 1,
  }));
