import { assert, assertEquals } from "@std/assert";
import { copyListener, type Listener, type SocketAddress } from "../../../src/core.ts";
import type { StartedOwner } from "../../../src/transport/mod.ts";
import { systemTransport } from "../../../src/system_transport.ts";
import { readAll, rejection, textOf } from "../../transport/tools.ts";
import { runtime, test } from "../../harness.ts";

const transport = systemTransport();
const CHILD = new URL("../../fixtures/listener_child.ts", import.meta.url);

/** Answer every connection with the word "parent", until the listener closes. */
function answer(listener: Listener): Promise<void> {
  return (async () => {
    for await (const socket of listener) {
      await socket.write(new TextEncoder().encode("parent"));
      await socket.close();
    }
  })();
}

async function ask(address: SocketAddress): Promise<string> {
  const socket = await transport.connect(address);
  const text = textOf(await readAll(socket));
  await socket.close();
  return text;
}

/** A child that listens on what this listener does, and where. */
async function childOn(listener: Listener): Promise<[StartedOwner, SocketAddress[]]> {
  const child = transport.host.processes!.start("listener_child", { url: CHILD });
  const { promise: told, resolve } = Promise.withResolvers<SocketAddress[]>();
  child.receive({ message: (addresses) => resolve(addresses as SocketAddress[]) });
  await child.sendListener!(listener, "has it");
  return [child, await told];
}

test("a listener goes on in another process, and no connection is lost on the way", async () => {
  const listener = await transport.listen({ transferable: true });
  const answering = answer(listener);
  const { address } = listener;
  const answers: string[] = [];
  let isAsking = true;
  const asking = (async () => {
    while (isAsking) answers.push(await ask(address));
  })();
  const [child, addresses] = await childOn(listener);
  assertEquals(addresses, [address]);
  await listener.close();
  await answering;
  for (let after = 0; after < 20; after++) assertEquals(await ask(address), "child has it");
  isAsking = false;
  await asking;
  const others = answers.filter((text) => text !== "parent" && text !== "child has it");
  assertEquals(others, []);
  assert(answers.includes("parent") && answers.includes("child has it"), `${answers}`);
  await child.terminate();
  assertEquals((await rejection(ask(address))).code, "CONNECT_FAILED");
});

test("a listener stays here when the process that has a copy of it dies", async () => {
  const listener = await transport.listen({ hostname: "localhost", transferable: true });
  const answering = answer(listener);
  const [child, addresses] = await childOn(listener);
  assertEquals(addresses, listener.addresses);
  await child.terminate();
  for (const address of listener.addresses) assertEquals(await ask(address), "parent");
  await listener.close();
  await answering;
});

test("copyListener() refuses what cannot leave its process", async () => {
  const path = `@jackfield-copy-${runtime}`;
  const unix = await transport.listen({ path: `\0${path}` }).catch(() => undefined);
  if (unix !== undefined) {
    assertEquals((await rejection(copyListener(unix))).code, "UNSUPPORTED");
    await unix.close();
  }
  const closed = await transport.listen({ transferable: true });
  await closed.close();
  assertEquals((await rejection(copyListener(closed))).code, "LISTENER_CLOSED");
  const foreign = { ...closed } as Listener;
  assertEquals((await rejection(copyListener(foreign))).code, "UNSUPPORTED");
});
