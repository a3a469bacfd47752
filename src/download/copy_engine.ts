import { JackfieldError, type OpenFile, type Socket } from "../transport/mod.ts";

/** How many bytes are read and written at a time. */
const QUANTUM_BYTES = 256 * 1024;

/**
 * Send a part of a file by reading and writing in turn.
 *
 * @throws {JackfieldError} `FILE_FAILED` when the file is shorter than announced: the connection
 * must be aborted then, because its length has been promised.
 */
export async function copyToSocket(
  file: OpenFile,
  socket: Socket,
  start: number,
  end: number,
  sent: (bytes: number) => void,
): Promise<void> {
  const buffer = new Uint8Array(Math.min(QUANTUM_BYTES, end - start));
  for (let at = start; at < end;) {
    const count = await file.read(buffer.subarray(0, Math.min(end - at, buffer.byteLength)), at);
    if (count === 0) {
      const message = `Cannot send file: it ended at byte ${at}, expected ${end}`;
      throw new JackfieldError("FILE_FAILED", message, { operation: "read" });
    }
    await socket.write(buffer.subarray(0, count));
    at += count;
    sent(count);
  }
}
