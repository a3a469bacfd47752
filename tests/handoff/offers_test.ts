// What channels say to each other when several sockets leave in one turn.
import { assertEquals } from "@std/assert";
import { HandoffChannel, type Socket } from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { FakeKernel, fakeLinks } from "./fake_owners.ts";

test("HandoffChannel offers what leaves in one turn in one message, and is answered in one, thread", async () => {
  const clock = new VirtualClock();
  const network = memoryTransport({ clock });
  const kernel = new FakeKernel();
  const { near, far } = fakeLinks("thread", kernel);
  const arrived: [data: unknown, socket: Socket][] = [];
  const sender = new HandoffChannel(near, { clock, descriptors: kernel.descriptors("near") });
  new HandoffChannel(far, {
    clock,
    descriptors: kernel.descriptors("far"),
    onSocket: (socket, data) => void arrived.push([data, socket]),
  });
  while (near.step() || far.step()); // Each tells the other where it enters its tokens.
  await clock.settle();

  const listener = await network.listen();
  const clients: Socket[] = [];
  const accept = async (): Promise<Socket> => {
    clients.push(await network.connect(listener.address));
    return kernel.adopt(await listener.accept(), "near");
  };
  const [one, two, three] = [await accept(), await accept(), await accept()];
  const moved = Promise.all([sender.send(one), sender.send(two), sender.send(three, "by itself")]);
  await clock.settle();
  near.endTurn();
  assertEquals(far.arriving.length, 2); // What has data is not kept waiting.
  while (far.step());
  await clock.settle();
  far.endTurn();
  assertEquals(near.arriving.length, 1);
  near.step();
  await moved;
  assertEquals(arrived.map(([data]) => data), ["by itself", undefined, undefined]);

  for (const [, socket] of arrived) await socket.close();
  for (const client of clients) client.abort();
  await listener.close();
  await clock.settle();
  assertEquals(kernel.copies, 0);
});
