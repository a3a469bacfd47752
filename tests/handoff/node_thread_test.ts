import { assertEquals, assertStringIncludes } from "@std/assert";
import { HandoffChannel } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { runtime, test } from "../harness.ts";
import { rejection } from "../transport/tools.ts";
import { OWNER_URL } from "./ring.ts";

test("HandoffChannel to a thread carries messages in Node, and says why no sockets (D3)", {
  skip: runtime !== "node" && "threads take sockets here",
}, async () => {
  const transport = systemTransport();
  const owner = transport.host.workers!.start("a", { url: OWNER_URL });
  const said = Promise.withResolvers<unknown>();
  const channel = new HandoffChannel(owner, { onMessage: said.resolve });
  channel.post({ say: "ping" });
  assertEquals(await said.promise, { pong: true });
  const listener = await transport.listen({ transferable: true });
  const [near, far] = await Promise.all([transport.connect(listener.address), listener.accept()]);
  const error = await rejection(channel.send(far)) as Error & { code?: string; feature?: string };
  assertEquals([error.code, error.feature], ["UNSUPPORTED", "handoff to a thread"]);
  assertStringIncludes(error.message, "descriptors");
  assertEquals(far.state, "open");
  await Promise.all([near.close(), far.close(), listener.close()]);
  channel.post({ act: "exit" });
  assertEquals((await owner.ended).reason, "exited");
});
