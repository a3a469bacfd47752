// The other process of `../handed_over_lease.ts`: it uses each lease for one question, and gives it back.
import process from "node:process";
import { HandoffChannel, systemTransport } from "../../mod.ts";
import type { LentSocket } from "../../src/core.ts";

const channel = new HandoffChannel(systemTransport().host.parent!, { onLease: answer });
void channel.ended.then(() => process.exit());

async function answer(lease: LentSocket, word: unknown): Promise<void> {
  const { socket } = lease;
  await socket.write(new TextEncoder().encode(String(word)));
  const buffer = new Uint8Array(100);
  const count = await socket.read(buffer) ?? 0;
  const heard = new TextDecoder().decode(buffer.subarray(0, count));
  await lease.release(); // The pool has it again.
  channel.post({ heard, port: socket.localAddress.port });
}
