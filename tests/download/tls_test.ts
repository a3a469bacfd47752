// The same over TLS.
import { readFileSync } from "node:fs";
import { assertEquals, assertMatch } from "@std/assert";
import { type JackfieldError, systemTransport } from "../../mod.ts";
import type { OpenFile } from "../../src/core.ts";
import { runtime, test } from "../harness.ts";
import { pattern, rejection } from "../transport/tools.ts";
import { MemoryFiles } from "./memory_files.ts";
import { Client, headOf, serving } from "./tools.ts";

const pem = (name: string) =>
  readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), "utf8");
const tls = { cert: pem("server.pem"), key: pem("server.key") };

test("serveDownloads() serves https, request after request", () =>
  serving(async ({ folder, server }) => {
    const bytes = folder.fill("a.bin", 3_000_000);
    assertMatch(server.url, /^https:\/\//);
    const { hostname, port } = server.address;
    const socket = await systemTransport().connect({
      hostname,
      port,
      tls: { caCerts: [pem("ca.pem")], serverName: "localhost" },
    });
    const client = new Client(socket);
    assertEquals((await client.request("GET /a.bin")).body, bytes);
    const part = await client.request("GET /a.bin", { Range: "bytes=-100000" });
    assertEquals([part.status, part.body], [206, bytes.slice(-100_000)]);
    await client.sendText(headOf("HEAD /a.bin") + headOf("GET /none", { Connection: "close" }));
    assertEquals((await client.answer({ head: true })).status, 200);
    assertEquals((await client.answer()).status, 404);
    assertEquals((await client.rest()).byteLength, 0);
    await socket.close();
  }, { tls }));

test("serveDownloads() says clearly that a certificate cannot be used", async () => {
  for (const bad of [{ ...tls, cert: "no" }, { ...tls, key: "none" }, { ...tls, key: tls.cert }]) {
    const error = await rejection(serving(async () => {}, { tls: bad }));
    assertEquals([error.code, (error as JackfieldError).reason], ["LISTEN_FAILED", "tls"]);
    assertMatch(error.message, /the certificate or its key cannot be used: ./);
  }
});

test("serveDownloads() reads no byte twice that a TLS connection could not take", {
  skip: runtime !== "deno" && "needs Deno",
}, async () => {
  const bytes = pattern(12_000_000); // Pieces grow on the way.
  const files = new CountingFiles({ "a.bin": bytes });
  const transport = { ...systemTransport(), host: { ...systemTransport().host, files } };
  await serving(async ({ server }) => {
    const { hostname, port } = server.address;
    const secured = { caCerts: [pem("ca.pem")], serverName: "localhost" };
    const socket = await transport.connect({ hostname, port, tls: secured });
    const answer = await new Client(socket).request("GET /a.bin");
    assertEquals(answer.body.byteLength, bytes.byteLength);
    assertEquals(files.bytesRead, bytes.byteLength);
    await socket.close();
  }, { tls, transport, root: "/root" });
});

/** Counts what is read of its files. */
class CountingFiles extends MemoryFiles {
  bytesRead = 0;

  override async open(path: string): Promise<OpenFile> {
    const file = await super.open(path);
    return {
      ...file,
      read: async (into, position) => {
        const count = await file.read(into, position);
        this.bytesRead += count;
        return count;
      },
    };
  }
}
