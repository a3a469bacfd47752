import { assert, assertEquals } from "@std/assert";
import { HeadBuffers } from "../../src/download/head_buffers.ts";
import { test } from "../harness.ts";

test("HeadBuffers lends small buffers that share no byte, and lends again what came back", () => {
  const buffers = new HeadBuffers();
  const lent = Array.from({ length: 600 }, () => buffers.take());
  lent.forEach((buffer, index) => buffer.fill(index % 251));
  for (const [index, buffer] of lent.entries()) {
    assertEquals(buffer.byteLength, 256);
    assert(buffer.every((byte) => byte === index % 251), `buffer ${index} is somebody else's, too`);
  }
  for (const buffer of lent) buffers.giveBack(buffer, 255);
  const again = new Set(lent);
  for (let index = 0; index < 600; index++) assert(again.has(buffers.take()), "made anew");
});

test("HeadBuffers lends longer ones once a head has filled one, and takes no old ones back", () => {
  const buffers = new HeadBuffers();
  const [one, other] = [buffers.take(), buffers.take()];
  buffers.giveBack(one, 256);
  buffers.giveBack(other, 10);
  const long = buffers.take();
  assertEquals(long.byteLength, 1024);
  buffers.giveBack(long, 1024); // They grow once.
  assertEquals(buffers.take(), long);
});
