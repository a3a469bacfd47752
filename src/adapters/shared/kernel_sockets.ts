// Sockets of an address as the kernel sees them, whichever process they belong to, through ss(8). The
// kernel leaves them hanging, without an event, when their address goes.
import { mayRun, runProgram } from "./run_program.ts";
import { Together } from "./together.ts";

/** A peer on the same link acknowledges within a millisecond; one that is gone is not waited for. */
const GRACE_MS = 1000;

/** In these states the end of the stream, or bytes before it, may still be on the way. */
const ENDING = ["fin-wait-1", "closing", "last-ack"].flatMap((state) => ["state", state]);

/** As many addresses go into one filter of ss(8). */
const MAX_ADDRESSES = 64;

const destroying = new Together<string, void>(async (addresses) => {
  await ask(["-K", "-a", "-t", "-u"], addresses);
  return addresses.map(() => undefined);
}, MAX_ADDRESSES);

const looking = new Together<string, boolean>(async (addresses) => {
  const printed = await ask(["-t", ...ENDING], addresses);
  return addresses.map((address) => printed.includes(`${written(address)}:`));
}, MAX_ADDRESSES);

/** Give closed sockets of an address the time to bring their last bytes over. */
export async function letSocketsEnd(address: string): Promise<void> {
  const end = performance.now() + GRACE_MS;
  while (await looking.ask(address) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Destroy what still uses an address, listeners as well, where the host permits it. */
export async function destroySockets(address: string): Promise<void> {
  await destroying.ask(address);
}

/** What ss(8) prints of the sockets of these addresses; nothing where it may not be started. */
async function ask(words: readonly string[], addresses: readonly string[]): Promise<string> {
  if (!mayRun("ss")) return "";
  const filter = [...new Set(addresses)].flatMap((address) => ["or", "src", written(address)]);
  try {
    return (await runProgram("ss", ["-H", "-n", ...words, "(", ...filter.slice(1), ")"])).stdout;
  } catch {
    return ""; // A host without ss(8): the addresses can be removed all the same.
  }
}

/** How ss(8) reads and writes an address. */
function written(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
