import { assertEquals } from "@std/assert";
import { unitSizeFor } from "../../src/parallel/unit_size.ts";
import { test } from "../harness.ts";

test("unitSizeFor() gives every socket a share, from 64 KiB to 4 MiB", () => {
  const KIB = 1024;
  const MIB = 2 ** 20;
  assertEquals(unitSizeFor(768 * KIB, 4), 192 * KIB);
  assertEquals(unitSizeFor(768 * KIB + 1, 4), 192 * KIB + 1);
  assertEquals(unitSizeFor(1, 4), 64 * KIB);
  assertEquals(unitSizeFor(100 * MIB, 4), 4 * MIB);
  assertEquals(unitSizeFor(16 * MIB, 4), 4 * MIB);
});
