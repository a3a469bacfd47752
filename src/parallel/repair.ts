import type { Hash } from "../transport/mod.ts";
import type { Control } from "./control.ts";
import { Crew, type CrewOptions } from "./crew.ts";
import type { Output } from "./output.ts";
import { ProgressMeter } from "./progress.ts";
import { UnitPlan } from "./unit_plan.ts";

/**
 * Put a file right whose digest is wrong: a digest of the whole does not say which unit is the bad
 * one, so every unit is asked for once more.
 *
 * Of a unit whose answer has a digest of its own (Content-Digest: RFC 9530), only the head comes when
 * what is there has that digest. Any other one comes again, and is written where it differs.
 *
 * @returns How many bytes were different.
 */
export async function repairFile(
  options: Omit<CrewOptions, "plan" | "meter">,
  { size, unitBytes }: Sized,
): Promise<number> {
  const { output, hash, control } = options;
  const fixed = new ComparingOutput(output);
  const crew = new Crew({
    ...options,
    plan: new UnitPlan({ size, unitBytes }),
    output: fixed,
    meter: new ProgressMeter(undefined), // What was told to be there stays told.
    hashing: undefined,
    wantsUnitDigest: true,
    isThere: async (start, end, digest) =>
      await digestOfPart(output, start, end, hash, control) === digest,
  });
  await crew.run(undefined);
  return fixed.changedBytes;
}

/** How a file is cut. */
export interface Sized {
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of a data unit. */
  readonly unitBytes: number;
}

/** Writes only what differs from what is there. */
class ComparingOutput implements Output {
  readonly leftover: undefined;
  readonly limit: number = Infinity;
  readonly mayBeginAnew: boolean = false;
  /** How many bytes were different. */
  changedBytes = 0;
  #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  begin(): Promise<void> {
    return Promise.resolve();
  }

  resume(): Promise<void> {
    return Promise.resolve();
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const there = new Uint8Array(bytes.byteLength);
    let filled = 0;
    while (filled < there.byteLength) {
      const count = await this.#output.read!(there.subarray(filled), position + filled);
      if (count === 0) break;
      filled += count;
    }
    let changed = 0;
    for (let at = 0; at < bytes.byteLength; at++) if (bytes[at] !== there[at]) changed++;
    if (changed === 0) return;
    this.changedBytes += changed;
    await this.#output.write(bytes, position);
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  keep(): Promise<Record<string, never>> {
    return Promise.resolve({});
  }

  drop(): Promise<void> {
    return Promise.resolve();
  }
}

async function digestOfPart(
  output: Output,
  start: number,
  end: number,
  hash: Hash,
  control: Control,
): Promise<string> {
  const digest = hash.sha256();
  const buffer = new Uint8Array(Math.min(1024 * 1024, end - start));
  for (let at = start; at < end;) {
    control.assertGoing();
    const part = buffer.subarray(0, Math.min(buffer.byteLength, end - at));
    const count = await output.read!(part, at);
    if (count === 0) break;
    digest.update(part.subarray(0, count));
    at += count;
  }
  return digest.hex();
}
