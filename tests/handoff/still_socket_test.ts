import { assertEquals } from "@std/assert";
import type { Socket } from "../../src/core.ts";
import { goOn, letGo, standStill } from "../../src/handoff/still_socket.ts";
import { memoryTransport } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { bytesOf, rejection, textOf } from "../transport/tools.ts";
import { FakeKernel } from "./fake_owners.ts";

const refusal = () => undefined;

async function withSocket(
  run: (far: Socket, socket: Socket, kernel: FakeKernel) => Promise<void>,
): Promise<void> {
  const network = memoryTransport();
  const kernel = new FakeKernel();
  const listener = await network.listen();
  const [far, accepted] = await Promise.all([
    network.connect(listener.address),
    listener.accept(),
  ]);
  await run(far, kernel.adopt(accepted, "here"), kernel);
  far.abort();
  await listener.close();
  assertEquals([kernel.copies, network.openEnds], [0, 0]);
}

async function readText(socket: Socket): Promise<string> {
  const buffer = new Uint8Array(100);
  return textOf(buffer.subarray(0, await socket.read(buffer) ?? 0));
}

test("standStill() takes a connection out of a pending read, and goOn() loses no byte of it", () =>
  withSocket(async (far, socket) => {
    const reading = rejection(socket.read(new Uint8Array(10)));
    const still = await standStill(socket, { unread: bytesOf("what was read, "), refusal });
    assertEquals([(await reading).code, socket.state], ["SOCKET_GONE", "gone"]);
    await far.write(bytesOf("what came then"));
    const again = await goOn(still);
    assertEquals(await readText(again) + await readText(again), "what was read, what came then");
    assertEquals(again.remoteAddress, socket.remoteAddress);
    again.abort();
  }));

test("standStill() leaves a socket as it is when it may not move, or is busy", () =>
  withSocket(async (far, socket) => {
    const refused = await rejection(standStill(socket, { refusal: () => "it is mine" }));
    assertEquals([refused.code, socket.state], ["HANDOFF_REFUSED", "open"]);
    const writing = socket.write(new Uint8Array(100_000));
    assertEquals((await rejection(standStill(socket, { refusal }))).code, "SOCKET_BUSY");
    for (let left = 100_000; left > 0;) left -= await far.read(new Uint8Array(65_536)) ?? left;
    assertEquals(await writing, 100_000);
    socket.abort();
  }));

test("letGo() leaves nothing of a connection that goes on elsewhere", () =>
  withSocket(async (far, socket, kernel) => {
    const still = await standStill(socket, { refusal });
    const copy = kernel.copyOf(still.parked.connection, "there");
    letGo(still);
    assertEquals(kernel.copies, 1);
    const again = await goOn({ facts: still.facts, parked: copy });
    await again.write(bytesOf("from there"));
    assertEquals(await readText(far), "from there");
    again.abort();
  }));
