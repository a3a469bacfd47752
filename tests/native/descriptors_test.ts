import { assert, assertEquals } from "@std/assert";
import { detachSocket } from "../../src/core.ts";
import { openDescriptors } from "../../src/native/mod.ts";
import { openLibc } from "../../src/native/libc.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { createSocket } from "../../src/core.ts";
import { runtime, test } from "../harness.ts";
import {
  bytesOf,
  countDescriptors,
  descriptorsBack,
  readExactly,
  rejection,
  textOf,
} from "../transport/tools.ts";

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const skip = runtime === "node" && "Node has no foreign functions";

test("openDescriptors() says in Node why there are none", {
  skip: runtime !== "node" && "there are some",
}, async () => {
  const error = await rejection(openDescriptors()) as Error & { code?: string; feature?: string };
  assertEquals([error.code, error.feature], ["UNSUPPORTED", "descriptors"]);
  const { host } = systemTransport();
  assertEquals([host.descriptors, host.checkDescriptors!()!.code], [undefined, "UNSUPPORTED"]);
});

test("Descriptors.adopt() makes a descriptor that blocks non-blocking before it is used (D4)", {
  skip,
  sanitize: false, // node:net closes a turn later.
}, async () => {
  const [descriptors, libc] = [await openDescriptors(), await openLibc()];
  const transport = systemTransport();
  const listener = await transport.listen({ transferable: true });
  const [near, far] = await Promise.all([transport.connect(listener.address), listener.accept()]);
  const { driver, ...facts } = detachSocket(far);
  const parked = await driver.park!();
  const token = descriptors.duplicate(parked.connection);
  const flags = libc.fcntl(token, F_GETFL, 0);
  libc.fcntl(token, F_SETFL, flags & ~O_NONBLOCK);
  assertEquals(libc.fcntl(token, F_GETFL, 0) & O_NONBLOCK, 0);
  const adopted = descriptors.adopt(token);
  assertEquals(libc.fcntl(token, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
  parked.drop();
  const socket = createSocket(await adopted.resume(false), facts);
  await near.write(bytesOf("there"));
  assertEquals(textOf(await readExactly(socket, 5)), "there");
  await socket.write(bytesOf("and back"));
  assertEquals(textOf(await readExactly(near, 8)), "and back");
  await Promise.all([near.close(), socket.close(), listener.close()]);
});

test("Descriptors give back every descriptor that they make", {
  skip,
  sanitize: false, // node:net closes a turn later.
}, async () => {
  const descriptors = await openDescriptors();
  const transport = systemTransport();
  const listener = await transport.listen({ transferable: true });
  let before: number | undefined;
  for (let round = 0; round < 20; round++) {
    const [near, far] = await Promise.all([transport.connect(listener.address), listener.accept()]);
    const parked = await detachSocket(far).driver.park!();
    const tokens = [1, 2, 3].map(() => descriptors.duplicate(parked.connection));
    assertEquals(new Set(tokens).size, 3);
    descriptors.discard(tokens[0]!);
    descriptors.adopt(tokens[1]!).drop();
    const driver = await descriptors.adopt(tokens[2]!).resume(true);
    parked.drop();
    await driver.close();
    assertEquals(await near.read(new Uint8Array(1)), null);
    await near.close();
    if (round === 2) before = countDescriptors();
  }
  await descriptorsBack(before);
  await listener.close();
});

test("Descriptors refuse what is no connection of theirs", { skip }, async () => {
  const descriptors = await openDescriptors();
  assert(descriptors.refusal({})!.includes("transferable"));
});
