import type { Control } from "./control.ts";
import type { Found } from "./find_file.ts";
import type { Hashing, Output } from "./output.ts";
import type { Pace } from "./pace.ts";
import type { ProgressMeter } from "./progress.ts";
import { CHUNK_BYTES } from "./worker.ts";

/** What {@linkcode readWholeFile} works with. */
export interface WholeFileOptions {
  /** The URL that the caller named. */
  readonly url: string;
  /** Where the bytes go. */
  readonly output: Output;
  /** Whether the transfer goes on. */
  readonly control: Control;
  /** Counts. */
  readonly meter: ProgressMeter;
  /** The digest of the file, if somebody wants it. */
  readonly hashing: Hashing | undefined;
  /** Limits the rate. */
  readonly pace: Pace | undefined;
}

/** Read a file that comes in one piece, of a length that may not be known; resolves to its size. */
export async function readWholeFile(found: Found, options: WholeFileOptions): Promise<number> {
  const { output, control, meter, hashing, pace, url } = options;
  const { answer: { body }, lease, watch } = found;
  const size = body.length;
  const buffer = new Uint8Array(CHUNK_BYTES);
  const offTick = control.onTick(() => meter.tick(control.tickMs));
  let at = 0;
  try {
    await output.begin({ url, size, unitBytes: CHUNK_BYTES, validator: undefined }, () => {});
    if (size !== undefined) meter.totalBytes = size;
    for (;;) {
      const allowed = pace === undefined ? buffer.byteLength : await pace.take(buffer.byteLength);
      const count = await body.read(buffer.subarray(0, allowed));
      pace?.giveBack(allowed - (count ?? 0));
      control.assertGoing();
      if (count === null) break;
      await output.write(buffer.subarray(0, count), at);
      const from = at;
      at += count;
      meter.add(lease.socket, count);
      await output.settled(from, at, at);
      hashing?.advance(at);
      // A stream that is read slowly holds the connection up: it must not hold more than that.
      if (at >= output.limit) await output.flush(at);
    }
    meter.totalBytes = at;
    meter.finish(lease.socket, 1);
    if (found.answer.isReusable) lease.release();
    return at;
  } catch (error) {
    meter.add(lease.socket, -at);
    throw error;
  } finally {
    offTick();
    watch.end();
    lease.discard(); // Unless it was given back in good order.
  }
}
