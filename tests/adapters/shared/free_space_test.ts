import { assertEquals, assertRejects } from "@std/assert";
import { tmpdir } from "node:os";
import { assertRoom } from "../../../src/adapters/shared/free_space.ts";
import { test } from "../../harness.ts";
import { rejection } from "../../transport/tools.ts";

test("assertRoom() refuses what the file system has no room for", async () => {
  for (const bytes of [-5, 0, 1]) await assertRoom(tmpdir(), bytes);
  const error = await rejection(assertRoom(tmpdir(), 2 ** 60));
  assertEquals(error.code, "ENOSPC");
  await assertRejects(() => assertRoom(tmpdir(), Infinity), Error, "bytes free");
});

test("assertRoom() knows nothing of a path that is not there", async () => {
  await assertRoom("/nowhere/at/all", 2 ** 60);
});
