import { assertEquals } from "@std/assert";
import { arpingCheck } from "../../../src/integrations/dhcp/conflict.ts";
import { test } from "../../harness.ts";

test("arpingCheck() is left to the server where arping is missing, or cannot ask", async () => {
  assertEquals(await arpingCheck("nothing"), undefined); // No interface has that name.
});
