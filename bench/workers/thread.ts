// The threads: each unit is a line with the number of steps to compute, answered by a line.
import { serveRequests, serveSockets } from "../../src/roots/worker.ts";
import { frame, work } from "./work.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function answer(request: Uint8Array): Uint8Array {
  return encoder.encode(`${work(Number(decoder.decode(request)))}\n`);
}

serveRequests(answer);
serveSockets(async (socket, { ready }) => {
  const buffer = new Uint8Array(4096);
  let filled = 0;
  while (await ready()) {
    const count = await socket.read(buffer.subarray(filled));
    if (count === null) return;
    filled += count;
    for (;;) {
      const length = frame(buffer.subarray(0, filled), 0);
      if (length === undefined) break;
      const bytes = answer(buffer.subarray(0, length));
      buffer.copyWithin(0, length, filled);
      filled -= length;
      await socket.write(bytes);
    }
  }
});
