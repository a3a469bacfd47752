// What Deno has no call for is set by the native part, on the listener's descriptor.
import { readFileSync } from "node:fs";
import { assertEquals } from "@std/assert";
import { DenoDriver } from "../../../src/adapters/deno/driver.ts";
import { type DenoConn, denoTransport } from "../../../src/adapters/deno/mod.ts";
import { checkDescriptors } from "../../../src/adapters/shared/system_descriptors.ts";
import type { JackfieldError, ListenOptions, SocketAddress } from "../../../src/core.ts";
import { IPPROTO_TCP, TCP_NODELAY } from "../../../src/native/layouts.ts";
import { openLibc } from "../../../src/native/libc.ts";
import { openDescriptors } from "../../../src/native/mod.ts";
import { runtime, test } from "../../harness.ts";
import { rejection } from "../../transport/tools.ts";

const skip = runtime !== "deno"
  ? "needs Deno"
  : checkDescriptors() !== undefined && "no descriptors here";
const pem = (name: string) =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), "utf8");
const tls = { cert: pem("server.pem"), key: pem("server.key") };

test("Deno transport: listens over TLS without Nagle's algorithm where the native part is loaded", {
  skip,
  sanitize: false, // The C library stays open.
}, async () => {
  const transport = denoTransport();
  assertEquals(transport.capabilities.tlsListenNoDelay, false);
  assertEquals(await settingsWith({ tls }), [0, 0]);
  const refused = await rejection(transport.listen({ tls, noDelay: true })) as JackfieldError;
  assertEquals([refused.code, refused.feature], ["UNSUPPORTED", "noDelay on a TLS listener"]);

  await openDescriptors();
  assertEquals(transport.capabilities.tlsListenNoDelay, true);
  for (const hostname of ["127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::"]) {
    assertEquals(await settingsWith({ tls, hostname }), [1, 1], hostname);
  }
  assertEquals(await settingsWith({ tls, noDelay: true }), [1, 1]);
  assertEquals(await settingsWith({ tls, noDelay: false }), [0, 0]);
});

test("Deno transport: sets no other listener on the same port", { skip }, async () => {
  await openDescriptors();
  const transport = denoTransport();
  const other = await transport.listen({ hostname: "127.0.0.2", tls, noDelay: false });
  const { port } = other.address;
  const listener = await transport.listen({ hostname: "127.0.0.3", port, tls });
  assertEquals(settingsAt(port).sort(), [0, 1]);
  await Promise.all([other.close(), listener.close()]);
});

test("DenoDriver.maxWriteBytes is what Deno takes in one write with TLS", { skip }, async () => {
  const transport = denoTransport();
  const listener = await transport.listen({ tls });
  const { port } = listener.address;
  const { Deno } = globalThis as unknown as { Deno: { connectTls: ConnectTls } };
  const [conn, far] = await Promise.all([
    Deno.connectTls({ hostname: "localhost", port, caCerts: [pem("ca.pem")] }),
    listener.accept(),
  ]);
  const driver = new DenoDriver(conn);
  assertEquals(await driver.write(new Uint8Array(1_000_000)), driver.maxWriteBytes);
  driver.abort();
  far.abort();
  await listener.close();
});

type ConnectTls = (
  options: { hostname: string; port: number; caCerts: string[] },
) => Promise<DenoConn>;

/** TCP_NODELAY of a listener with these options, and of what it accepts. */
async function settingsWith(options: ListenOptions): Promise<number[]> {
  const transport = denoTransport();
  const listener = await transport.listen(options);
  const { port } = listener.address;
  const hostname = nearest(listener.address);
  const [near, far] = await Promise.all([
    transport.connect({
      hostname,
      port,
      tls: { caCerts: [pem("ca.pem")], serverName: "localhost" },
    }),
    listener.accept(),
  ]);
  const settings = settingsAt(port);
  near.abort();
  far.abort();
  await listener.close();
  return settings;
}

function nearest({ hostname }: SocketAddress): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "::" ? "::1" : hostname;
}

/** TCP_NODELAY of every socket here that is bound to a port. */
function settingsAt(port: number): number[] {
  const libc = openLibc();
  const settings: number[] = [];
  for (let descriptor = 0; descriptor < 1024; descriptor++) {
    const name = new Uint8Array(28);
    const length = () => new Uint8Array(Int32Array.of(28).buffer);
    if (libc.getsockname(descriptor, name, length()) !== 0) continue;
    if (name[2]! * 256 + name[3]! !== port) continue;
    const value = new Uint8Array(4);
    libc.getsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, value, length());
    settings.push(value[0]!);
  }
  return settings;
}
