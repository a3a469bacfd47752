import { assert, assertEquals } from "@std/assert";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { countDescriptors, descriptorsBack } from "../transport/tools.ts";
import { handRound, OWNER_URL } from "./ring.ts";

const HANDOVERS = 1000;

test("HandoffChannel keeps every byte of a busy connection that goes round processes (D2, D3)", {
  sanitize: false, // A child of node:child_process outlives its test by a turn.
}, async () => {
  const transport = systemTransport();
  const owners = [1, 2, 3].map(() => transport.host.processes!.start("ring", { url: OWNER_URL }));
  const before = countDescriptors();
  const { up, down } = await handRound({
    transport,
    owners,
    handovers: HANDOVERS,
    transferable: true,
  });
  assertEquals(up.received, up.sent);
  assertEquals(down.received, down.sent);
  assert(up.bytes > HANDOVERS);
  await descriptorsBack(before);
  for (const end of await Promise.all(owners.map((owner) => owner.terminate()))) {
    assertEquals(end.reason, "terminated");
  }
});
