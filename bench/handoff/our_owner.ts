// The other end of ours: writes one byte on every socket that comes.
import process from "node:process";
import { isDeno } from "../../src/adapters/deno/runtime.ts";
import { HandoffChannel } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";

const parent = systemTransport().host.parent!;
const BYTE = new Uint8Array([120]);
// A child in Deno has all permissions; with the native part its first write need not wait.
const descriptors = parent.kind === "thread" || isDeno()
  ? await systemTransport().host.descriptors!()
  : undefined;
const channel = new HandoffChannel(parent, {
  descriptors,
  onSocket: (socket) => {
    socket.write(BYTE).then(() => socket.read(new Uint8Array(1))).then(() => socket.close(), () => {
      socket.abort();
    });
  },
});
void channel.ended.then(() => process.exit(0));
channel.post("ready");
