import { assert, assertEquals } from "@std/assert";
import { systemTransport } from "../../src/system_transport.ts";
import { runtime, test } from "../harness.ts";
import { countDescriptors, descriptorsBack } from "../transport/tools.ts";
import { handRound, OWNER_URL } from "./ring.ts";

const HANDOVERS = 1000;
const skip = runtime === "node" && "Node cannot duplicate a descriptor";

for (const transferable of runtime === "bun" ? [true, false] : [true]) {
  test(
    `HandoffChannel keeps every byte of a busy connection that goes round threads, transferable: ${transferable} (D2, D3)`,
    {
      skip,
      sanitize: false, // A thread outlives its test by a turn.
    },
    async () => {
      const transport = systemTransport();
      const owners = [1, 2, 3].map(() => transport.host.workers!.start("ring", { url: OWNER_URL }));
      const descriptors = await transport.host.descriptors!();
      const before = countDescriptors();
      const { up, down } = await handRound({
        transport,
        owners,
        descriptors,
        handovers: HANDOVERS,
        transferable,
      });
      assertEquals(up.received, up.sent);
      assertEquals(down.received, down.sent);
      assert(up.bytes > HANDOVERS);
      for (const end of await Promise.all(owners.map((owner) => owner.terminate()))) {
        assertEquals(end.reason, "terminated");
      }
      await descriptorsBack(before);
    },
  );
}
