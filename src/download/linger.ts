import type { Clock, Socket } from "../transport/mod.ts";

/** What a client may still send after an answer that ends its connection. */
const LINGER_BYTES = 1024 * 1024;
const LINGER_MS = 2000;

/**
 * Close in stages (RFC 9112, section 9.6): end the answer, then read what the client was about to
 * send and throw it away. Closing with bytes unread would make the kernel send a reset, which can
 * destroy the answer before the client has read it. Never rejects.
 */
export async function lingeringClose(socket: Socket, clock: Clock): Promise<void> {
  const cancel = clock.schedule(LINGER_MS, () => socket.abort());
  try {
    await socket.closeWrite();
    const buffer = new Uint8Array(64 * 1024);
    for (let left = LINGER_BYTES; left > 0;) {
      const count = await socket.read(buffer);
      if (count === null) break;
      left -= count;
    }
  } catch {
    // The client is gone, or took too long.
  } finally {
    cancel();
    await socket.close();
  }
}
