import { RateLimit } from "../queue/mod.ts";
import type { DownloadManagerOptions } from "./download_options.ts";

/** Options with their defaults. */
export interface Settings {
  readonly maxActive: number;
  readonly maxQueued: number;
  readonly stallTimeoutMs: number;
  readonly rateLimit: RateLimit;
  readonly rateLimitOf: ((client: string) => RateLimit | undefined) | undefined;
}

/**
 * Check the options that are numbers.
 *
 * @throws {RangeError} When one is out of range.
 */
export function readSettings(options: DownloadManagerOptions): Settings {
  const {
    maxActive = 1024,
    maxQueued = 4096,
    stallTimeoutMs = 60_000,
    maxBytesPerSecond = Infinity,
    maxClientBytesPerSecond = Infinity,
  } = options;
  assertAtLeast("maxActive", maxActive, 1);
  assertAtLeast("maxQueued", maxQueued, 0);
  assertAtLeast("stallTimeoutMs", stallTimeoutMs, 1);
  assertAtLeast("maxBytesPerSecond", maxBytesPerSecond, 1);
  if (typeof maxClientBytesPerSecond === "number") {
    assertAtLeast("maxClientBytesPerSecond", maxClientBytesPerSecond, 1);
  }
  return {
    maxActive,
    maxQueued,
    stallTimeoutMs,
    rateLimit: new RateLimit(maxBytesPerSecond),
    rateLimitOf: limitOf(maxClientBytesPerSecond),
  };
}

function limitOf(
  max: number | ((client: string) => number),
): ((client: string) => RateLimit | undefined) | undefined {
  if (max === Infinity) return undefined;
  if (typeof max === "number") return () => new RateLimit(max);
  return (client) => {
    const bytesPerSecond = max(client);
    return bytesPerSecond === Infinity ? undefined : new RateLimit(bytesPerSecond);
  };
}

/**
 * Refuse a number that is too small, or none.
 *
 * @throws {RangeError} When it is.
 */
export function assertAtLeast(name: string, value: number, least: number): void {
  if (value >= least) return;
  throw new RangeError(`Cannot use ${name} "${value}": expected ${least} or more`);
}
