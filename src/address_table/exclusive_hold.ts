import {
  isJackfieldError,
  JackfieldError,
  type Listener,
  type Transport,
} from "../transport/mod.ts";

/** The name under which an address is held, in Linux's abstract namespace of Unix sockets. */
const HOLD_NAME = "\0jackfield/address/";

/**
 * Hold an address against every other process of the host; `undefined` when one of them has it.
 *
 * It is a Unix socket that listens under the address's name in the abstract namespace (unix(7)): the
 * kernel gives a name to one process and frees it when that process dies, however it dies. Names
 * belong to the network namespace, as addresses do. It holds against those who ask, too: a program
 * that binds the address without a table is not kept from it.
 *
 * @throws {JackfieldError} `UNSUPPORTED` where there is no such namespace.
 */
export async function holdAddress(
  transport: Transport,
  hostname: string,
): Promise<Listener | undefined> {
  try {
    // Nobody has a reason to connect; whoever does it all the same is not waited for.
    const listener = await transport.listen({ path: HOLD_NAME + hostname, maxPending: 1 });
    listener.unref(); // A program may end without giving back: the kernel does it.
    return listener;
  } catch (cause) {
    if (!isJackfieldError(cause, "LISTEN_FAILED") || cause.reason === "descriptors") throw cause;
    if (cause.reason === "address-in-use") return undefined;
    throw new JackfieldError(
      "UNSUPPORTED",
      `Cannot use exclusive addresses: this system has no abstract Unix sockets to hold ${hostname}`,
      { cause, feature: "exclusive" },
    );
  }
}
