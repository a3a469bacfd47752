import { assertEquals, assertStringIncludes } from "@std/assert";
import { hardwareAddress } from "../../../src/adapters/shared/hardware_address.ts";
import { systemDatagrams } from "../../../src/adapters/shared/system_datagrams.ts";
import {
  type DatagramSocket,
  isJackfieldError,
  type JackfieldError,
} from "../../../src/transport/mod.ts";
import { test } from "../../harness.ts";
import { rejection } from "../../transport/tools.ts";

const HOST = "127.0.0.1";
const ignore = () => {};

/** A socket on a port that is free. */
async function openSomewhere(
  onMessage: (bytes: Uint8Array, port: number) => void = ignore,
): Promise<{ readonly socket: DatagramSocket; readonly port: number }> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    try {
      const socket = await systemDatagrams.open({
        hostname: HOST,
        port,
        onMessage: (bytes, from) => onMessage(bytes, from.port),
        onError: ignore,
      });
      return { socket, port };
    } catch (error) {
      if (!isJackfieldError(error, "LISTEN_FAILED")) throw error;
    }
  }
}

test("Datagrams.open() sends and receives from a port that nobody else has", async () => {
  const { promise, resolve } = Promise.withResolvers<[number[], number]>();
  const far = await openSomewhere((bytes, from) => resolve([[...bytes], from]));
  const near = await openSomewhere();
  await near.socket.send(Uint8Array.of(1, 2, 3), { hostname: HOST, port: far.port });
  const alive = setTimeout(ignore, 10_000); // A datagram socket keeps no program alive.
  assertEquals(await promise, [[1, 2, 3], near.port]);
  clearTimeout(alive);
  const again = { hostname: HOST, port: far.port, onMessage: ignore, onError: ignore };
  const taken = await rejection(systemDatagrams.open(again)) as JackfieldError;
  assertEquals([taken.code, taken.reason], ["LISTEN_FAILED", "address-in-use"]);
  await Promise.all([near.socket.close(), far.socket.close(), far.socket.close()]);
  const over = await rejection(near.socket.send(new Uint8Array(1), again));
  assertEquals(over.code, "SOCKET_FAILED");
  assertStringIncludes(over.message, `Cannot send to ${HOST}:${far.port}`);
});

test("DatagramSocket.send() goes on when nobody listens there, as if the datagrams were lost", async () => {
  const far = await openSomewhere();
  await far.socket.close();
  const near = await openSomewhere();
  for (let at = 0; at < 20; at++) {
    await near.socket.send(new Uint8Array(1), { hostname: HOST, port: far.port });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await near.socket.close();
});

test("Interfaces.hardwareAddress() tells none of an interface that has none", () => {
  assertEquals([hardwareAddress("lo"), hardwareAddress("no such one")], [undefined, undefined]);
});
