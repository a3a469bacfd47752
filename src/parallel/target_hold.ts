import { JackfieldError, type Listener, type Transport } from "../transport/mod.ts";

/** The name under which a target is held, in Linux's abstract namespace of Unix sockets (unix(7)). */
const HOLD_NAME = "\0jackfield/get/";

/** The targets of this program's own transfers. */
const held = new Set<string>();

/** A file that nobody else writes to. */
export interface TargetHold {
  /** Let go. */
  release(): Promise<void>;
}

/**
 * Hold the unfinished file of a target, against the other transfers of this program and, where the
 * system has names that end with their owner, of every program in the same network namespace.
 *
 * @throws {JackfieldError} `FILE_FAILED` with `EBUSY` when another transfer has it.
 */
export async function holdTarget(
  transport: Transport,
  path: string,
  key: string,
): Promise<TargetHold> {
  if (held.has(key)) throw busy(path);
  held.add(key);
  let listener: Listener | undefined;
  try {
    listener = await holdName(transport, HOLD_NAME + key);
  } catch (cause) {
    // Not permitted, or no such names here: then it holds within this program only.
    if ((cause as JackfieldError).reason === "address-in-use") {
      held.delete(key);
      throw busy(path);
    }
  }
  return {
    async release() {
      await listener?.close();
      held.delete(key);
    },
  };
}

async function holdName(transport: Transport, path: string): Promise<Listener | undefined> {
  if (!transport.capabilities.listen || !transport.capabilities.unix) return undefined;
  const listener = await transport.listen({ path, maxPending: 1 });
  listener.unref(); // A program may end without giving back: the kernel does it.
  return listener;
}

function busy(path: string): JackfieldError {
  const message = `Cannot write to "${path}": another transfer is writing to it`;
  return new JackfieldError("FILE_FAILED", message, { operation: "open", osCode: "EBUSY" });
}
