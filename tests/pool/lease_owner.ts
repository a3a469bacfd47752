// A thread or a process that is lent leases; started by the tests of lending. It talks to the peer and
// does with the lease what the data says.
import process from "node:process";
import { HandoffChannel, type LentSocket } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { bytesOf, readExactly, textOf } from "../transport/tools.ts";

/** What to do with a lease. */
export interface Job {
  /** What is said to the peer, which says it again. */
  readonly word: string;
  /** What becomes of the lease then. */
  readonly then: "release" | "close" | "keep" | "exit" | "release and exit";
}

const { host } = systemTransport();
const parent = host.parent!;
const descriptors = parent.kind === "thread" ? await host.descriptors!() : undefined;

const channel = new HandoffChannel(parent, {
  descriptors,
  onLease: (lease, data) => {
    work(lease, data as Job).catch((error) => channel.post({ error: String(error) }));
  },
});
void channel.ended.then(() => process.exit(0));

async function work(lease: LentSocket, { word, then }: Job): Promise<void> {
  const { socket } = lease;
  await socket.write(bytesOf(word));
  const answer = textOf(await readExactly(socket, word.length));
  channel.post({ answer, port: socket.localAddress.port, pid: process.pid });
  if (then === "release") await lease.release();
  if (then === "close") await socket.close();
  if (then === "exit") process.exit(1);
  if (then === "release and exit") {
    await lease.release();
    process.exit(0);
  }
}
