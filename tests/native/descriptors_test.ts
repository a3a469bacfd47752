import { assert, assertEquals, assertThrows } from "@std/assert";
import { closeSync, openSync } from "node:fs";
import { detachSocket } from "../../src/core.ts";
import { openDescriptors } from "../../src/native/mod.ts";
import { type Libc, openLibc } from "../../src/native/libc.ts";
import { numberOf, OwnDescriptor } from "../../src/native/own_descriptor.ts";
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
  const number = numberOf(libc, token, "adopt");
  const flags = libc.fcntl(number, F_GETFL, 0);
  libc.fcntl(number, F_SETFL, flags & ~O_NONBLOCK);
  assertEquals(libc.fcntl(number, F_GETFL, 0) & O_NONBLOCK, 0);
  const adopted = descriptors.adopt(token);
  assertEquals(libc.fcntl(number, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
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

test("Descriptors know a token once: its number may be somebody else's then", {
  skip,
  sanitize: false, // node:net closes a turn later.
}, async () => {
  const descriptors = await openDescriptors();
  const transport = systemTransport();
  const listener = await transport.listen({ transferable: true });
  const pair = () => Promise.all([transport.connect(listener.address), listener.accept()]);
  const [[near, far], [other, another]] = [await pair(), await pair()];
  const parked = await detachSocket(far).driver.park!();
  const next = await detachSocket(another).driver.park!();
  const token = descriptors.duplicate(parked.connection);
  descriptors.discard(token);
  assertThrows(() => descriptors.discard(token), Error, "Cannot discard descriptor: it was given");
  const reused = descriptors.duplicate(next.connection);
  assertEquals(reused % 2 ** 20, token % 2 ** 20); // The lowest number that is free.
  assertThrows(() => descriptors.adopt(token), Error, "Cannot adopt descriptor: it was given back");
  descriptors.discard(reused);
  assert(Number.isInteger(reused) && reused > 0 && reused < 2 ** 31); // It is kept in 32 bits.
  for (const one of [parked, next]) one.drop();
  await Promise.all([near.close(), other.close(), listener.close()]);
});

test("OwnDescriptor is closed once, and has no number afterwards", { skip }, () => {
  const libc = openLibc();
  const closed: number[] = [];
  const own: Libc = {
    ...libc,
    close(number) {
      closed.push(number);
      return libc.close(number);
    },
  };
  const file = openSync("/dev/null", "r");
  const copy = OwnDescriptor.duplicate(own, file)!;
  const { number } = copy;
  copy.release();
  for (const use of [() => copy.release(), () => copy.number]) {
    const error = assertThrows(use, Error, "it was given back before") as { code?: string };
    assertEquals(error.code, "SOCKET_CLOSED");
  }
  const left = OwnDescriptor.duplicate(own, file)!;
  libc.close(left.number);
  left.leave();
  assertThrows(() => left.release());
  assertEquals(closed, [number]);
  closeSync(file);
  assertEquals(OwnDescriptor.duplicate(own, file), undefined);
});

test("Descriptors refuse what is no connection of theirs", { skip }, async () => {
  const descriptors = await openDescriptors();
  assert(descriptors.refusal({})!.includes("transferable"));
});
