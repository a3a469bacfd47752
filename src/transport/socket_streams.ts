import type { Socket } from "./socket.ts";

/** What one read of `readable` asks for at most, in bytes. */
const CHUNK_BYTES = 64 * 1024;

/** The incoming bytes of a socket as a stream; it reads nothing ahead. */
export function readableOf(socket: Socket): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const chunk = new Uint8Array(CHUNK_BYTES);
      const count = await socket.read(chunk);
      if (count === null) controller.close();
      else controller.enqueue(chunk.subarray(0, count));
    },
    cancel: () => socket.close(),
  }, { highWaterMark: 0 });
}

/** The outgoing bytes of a socket as a stream; a chunk is accepted when the kernel has taken it. */
export function writableOf(socket: Socket): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    async write(chunk) {
      await socket.write(chunk);
    },
    close: () => socket.closeWrite(),
    abort: (reason) => socket.abort(reason),
  });
}
