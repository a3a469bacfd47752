import {
  isJackfieldError,
  JackfieldError,
  type Listener,
  type Socket,
  systemClock,
  type Transport,
} from "../transport/mod.ts";
import type { AddressTableState } from "./table_state.ts";

/** How the names begin under which tables show what they have (unix(7), abstract names). */
const STATE_NAME = "\0jackfield/table/";
/** A state that is longer than this is none of ours. */
const MAX_STATE_BYTES = 16 * 2 ** 20;
const READ_TIMEOUT_MS = 2000;

/**
 * Show a table's state to every program of this host that asks for it: who connects gets it as one
 * JSON text, and the end of the stream.
 *
 * @throws {TypeError} For a label of other characters.
 * @throws {JackfieldError} `UNSUPPORTED` where there are no abstract Unix sockets.
 */
export async function publishState(
  transport: Transport,
  label: string,
  state: () => AddressTableState,
): Promise<Listener> {
  if (!/^[\w.-]{1,40}$/.test(label)) {
    throw new TypeError(
      `Cannot publish table as "${label}": expected 1 to 40 letters, digits, "_", "." and "-"`,
    );
  }
  const path = `${STATE_NAME}${label}/${crypto.randomUUID().slice(0, 8)}`;
  let listener: Listener;
  try {
    listener = await transport.listen({ path, maxPending: 8 });
  } catch (cause) {
    if (!isJackfieldError(cause, "LISTEN_FAILED")) throw cause;
    const message = "Cannot publish table: this system has no abstract Unix sockets";
    throw new JackfieldError("UNSUPPORTED", message, { cause, feature: "publish" });
  }
  listener.unref();
  void (async () => {
    for await (const socket of listener) void tell(socket, state()).catch(() => {});
  })();
  return listener;
}

async function tell(socket: Socket, state: AddressTableState): Promise<void> {
  try {
    await socket.write(new TextEncoder().encode(JSON.stringify(state)));
  } finally {
    await socket.close();
  }
}

/**
 * The state of a table that another program of this host has published.
 *
 * @param name What the kernel calls it, without the first character: `jackfield/table/LABEL/ID`.
 * @throws {JackfieldError} What `connect` and `read` throw; `SOCKET_FAILED` for what is no state.
 */
export async function readPublishedState(
  transport: Transport,
  name: string,
): Promise<AddressTableState> {
  const socket = await transport.connect({ path: `\0${name}` }, { timeoutMs: READ_TIMEOUT_MS });
  const cancel = systemClock.schedule(READ_TIMEOUT_MS, () => {
    const message = `Cannot read the table "${name}": no answer in ${READ_TIMEOUT_MS} ms`;
    socket.abort(new JackfieldError("SOCKET_ABORTED", message, { operation: "read" }));
  });
  try {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65_536);
    let text = "";
    let bytes = 0;
    for (;;) {
      const count = await socket.read(buffer);
      if (count === null) break;
      bytes += count;
      if (bytes > MAX_STATE_BYTES) throw new RangeError(`more than ${MAX_STATE_BYTES} bytes`);
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
    const state = JSON.parse(text) as AddressTableState;
    if (!Array.isArray(state?.rests) || !Array.isArray(state.addresses)) {
      throw new TypeError("it has no addresses and rests");
    }
    return state;
  } catch (cause) {
    if (isJackfieldError(cause)) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot read the table "${name}": ${why}`;
    throw new JackfieldError("SOCKET_FAILED", message, { operation: "read", cause });
  } finally {
    cancel();
    await socket.close();
  }
}
