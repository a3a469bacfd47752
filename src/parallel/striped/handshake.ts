import { type Clock, JackfieldError, type Socket } from "../../transport/mod.ts";
import {
  decodeHello,
  decodeWelcome,
  encodeHello,
  type Hello,
  HELLO_BYTES,
  readExactly,
  type Welcome,
  WELCOME_BYTES,
} from "./hello.ts";
import { handshakeError } from "./striped_errors.ts";

/** How long a handshake may take. */
export interface HandshakeLimit {
  /** Measures it. */
  readonly clock: Clock;
  /** Milliseconds. */
  readonly handshakeTimeoutMs: number;
}

/**
 * Introduce a connection; resolves to what the far end answers. One that fails is closed.
 *
 * @throws {JackfieldError} `CONNECT_FAILED`, or `CONNECT_TIMEOUT` with phase `prepare`.
 */
export async function introduce(
  socket: Socket,
  hello: Hello,
  limit: HandshakeLimit,
): Promise<Welcome> {
  const address = socket.remoteAddress;
  return await within(socket, limit, async () => {
    await socket.write(encodeHello(hello));
    const bytes = await readExactly(socket, WELCOME_BYTES);
    if (bytes === undefined) {
      throw handshakeError(
        address,
        "the far end closed the connection: it knows no such bundle, or is no striped listener",
      );
    }
    const welcome = decodeWelcome(bytes);
    if (typeof welcome === "string") throw handshakeError(address, `of the answer, ${welcome}`);
    return welcome;
  });
}

/** The hello of a connection that was accepted; one that fails is closed without a word. */
export async function receiveHello(socket: Socket, limit: HandshakeLimit): Promise<Hello> {
  const address = socket.remoteAddress;
  return await within(socket, limit, async () => {
    const bytes = await readExactly(socket, HELLO_BYTES);
    if (bytes === undefined) throw handshakeError(address, "the far end left before it said hello");
    const hello = decodeHello(bytes);
    if (typeof hello === "string") throw handshakeError(address, `of its hello, ${hello}`);
    return hello;
  });
}

async function within<T>(
  socket: Socket,
  { clock, handshakeTimeoutMs }: HandshakeLimit,
  talk: () => Promise<T>,
): Promise<T> {
  const address = socket.remoteAddress;
  const cancel = handshakeTimeoutMs === Infinity
    ? () => {}
    : clock.schedule(handshakeTimeoutMs, () => {
      const message = `Cannot connect bundle: no handshake within ${handshakeTimeoutMs} ms`;
      socket.abort(
        new JackfieldError("CONNECT_TIMEOUT", message, {
          operation: "connect",
          address,
          phase: "prepare",
          reason: "timeout",
          limit: handshakeTimeoutMs,
        }),
      );
    });
  try {
    return await talk();
  } catch (error) {
    void socket.close();
    throw error;
  } finally {
    cancel();
  }
}
