// The admin handler as a route of a Hono app.
import { Hono } from "hono";
import { assertEquals } from "@std/assert";
import { AddressTable, hostAddresses, systemTransport } from "../../../mod.ts";
import { admin } from "../../../src/integrations/hono/mod.ts";
import { test } from "../../harness.ts";
import { behind, SERVERS } from "./tools.ts";

const token = "0123456789abcdef";
const headers = { authorization: `Bearer ${token}` };

for (const kind of SERVERS) {
  test(`admin() answers below its route, ${kind}`, async () => {
    const transport = systemTransport();
    const addresses = new AddressTable({ transport, source: hostAddresses(["127.0.0.2"]) });
    const app = new Hono().all("/admin/*", admin({ addresses, token }));
    await behind(kind, app, async ({ fetch }) => {
      const refused = await fetch("/admin/");
      assertEquals([refused.status, refused.headers.get("www-authenticate")], [401, "Bearer"]);
      await refused.text();
      for (const path of ["/admin", "/admin/"]) {
        assertEquals((await (await fetch(path, { headers })).json()).drain, "no");
      }
      const method = "POST";
      const body = JSON.stringify({ address: "127.0.0.2" });
      const banned = await fetch("/admin/addresses/rests", { method, headers, body });
      assertEquals([banned.status, (await banned.json()).rests.length], [201, 1]);
      const missing = await fetch("/admin/nothing?x=1", { headers });
      assertEquals(missing.status, 404);
      await missing.text();
      const page = await fetch("/admin/", { headers: { accept: "text/html" } });
      assertEquals([page.status, (await page.text()).startsWith("<!doctype html>")], [200, true]);
    });
    await addresses.closeAll();
  });
}

test("admin() finds its paths below parameters, in apps within apps, and at the top", async () => {
  const handle = admin({ token });
  const status = async (app: Hono, path: string) => (await app.request(path, { headers })).status;
  const within = new Hono().route("/api/:tenant", new Hono().all("/admin/*", handle));
  assertEquals(await status(within, "/api/a%20b/admin/metrics"), 200);
  assertEquals(await status(within, "/api/a/admin/nothing"), 404);
  assertEquals(await status(new Hono().all("/*", handle), "/metrics"), 200);
  assertEquals(await status(new Hono().all("*", handle), "/metrics"), 200);
});
