import { RateLimit } from "../queue/mod.ts";
import { systemClock, type Transport, unsupported } from "../transport/mod.ts";
import type { BackoffOptions } from "./backoff.ts";
import { readExpectedDigest } from "./digests.ts";
import type { ParallelGetOptions } from "./get_options.ts";
import { FIRST_UNIT_BYTES } from "./unit_size.ts";
import { checkHeaders, parseUrl, type UrlTarget } from "./url_target.ts";

/** Options that have a default. */
type Defaults = Required<
  Pick<
    ParallelGetOptions,
    | "sockets"
    | "retries"
    | "backoffMs"
    | "maxBackoffMs"
    | "stallTimeoutMs"
    | "connectTimeoutMs"
    | "maxRedirects"
    | "headers"
    | "bytesPerSecond"
    | "digest"
    | "unitDigests"
    | "resume"
    | "keepUnfinished"
    | "maxDataBytes"
    | "maxBufferBytes"
    | "clock"
    | "random"
  >
>;

const DEFAULTS: Defaults = {
  sockets: 4,
  retries: 3,
  backoffMs: 250,
  maxBackoffMs: 10_000,
  stallTimeoutMs: 30_000,
  connectTimeoutMs: 30_000,
  maxRedirects: 10,
  headers: {},
  bytesPerSecond: Infinity,
  digest: true,
  unitDigests: false,
  resume: true,
  keepUnfinished: false,
  maxDataBytes: 256 * 2 ** 20,
  maxBufferBytes: 32 * 2 ** 20,
  clock: systemClock,
  random: Math.random,
};

/** The options with their defaults. */
type Filled = Omit<ParallelGetOptions, keyof Defaults> & Defaults;

/** The options of a transfer with their defaults, checked. */
export interface GetSettings extends Omit<Filled, "headers" | "digest">, BackoffOptions {
  readonly transport: Transport;
  readonly url: UrlTarget;
  readonly headers: readonly (readonly [string, string])[];
  /** What the digest must be, if the caller knows. */
  readonly expectedDigest: string | undefined;
  /** Whether a digest is computed. */
  readonly hasDigest: boolean;
}

/**
 * Check options and fill in the rest.
 *
 * @throws {TypeError} For a URL that is none, and options that do not go together.
 * @throws {RangeError} For a value out of range, which the message names.
 */
export function getSettingsOf(url: string | URL, options: ParallelGetOptions): GetSettings {
  const { addresses, transport = addresses?.transport, tls } = options;
  if (transport === undefined) {
    throw new TypeError("Cannot get file: expected a transport or an address table");
  }
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const filled: Filled = { ...DEFAULTS, ...given };
  checkNumbers(filled);
  const { to, digest } = filled;
  if (to !== undefined && typeof to !== "string" && typeof to?.getWriter !== "function") {
    throw new TypeError(`Cannot write to "${String(to)}": expected a path or a WritableStream`);
  }
  if (transport.host.hash === undefined) {
    throw unsupported("parallelGet", "the transport's host has no hash");
  }
  return {
    ...filled,
    transport,
    url: parseUrl(url, tls),
    headers: checkHeaders(filled.headers),
    expectedDigest: typeof digest === "string" ? readExpectedDigest(digest) : undefined,
    hasDigest: digest !== false,
  };
}

function checkNumbers(filled: Filled): void {
  const { sockets, unitBytes, bytesPerSecond } = filled;
  need("sockets", sockets, isCount(sockets, 1) && sockets <= 64, "an integer from 1 to 64");
  if (unitBytes !== undefined) {
    need("unitBytes", unitBytes, isCount(unitBytes, 1024), "an integer of 1024 or more");
  }
  for (const name of ["retries", "backoffMs", "maxBackoffMs"] as const) {
    need(name, filled[name], filled[name] >= 0, "0 or more");
  }
  for (const name of ["stallTimeoutMs", "connectTimeoutMs", "maxDataBytes"] as const) {
    need(name, filled[name], filled[name] > 0, "more than 0");
  }
  const { maxRedirects, maxBufferBytes } = filled;
  need("maxRedirects", maxRedirects, isCount(maxRedirects, 0), "an integer of 0 or more");
  const leastBuffer = Math.max(unitBytes ?? 0, 4 * FIRST_UNIT_BYTES);
  const isEnough = maxBufferBytes >= leastBuffer && maxBufferBytes < Infinity;
  need("maxBufferBytes", maxBufferBytes, isEnough, `at least ${leastBuffer}, and a bound`);
  if (!(bytesPerSecond instanceof RateLimit) && typeof bytesPerSecond !== "object") {
    need("bytesPerSecond", bytesPerSecond, bytesPerSecond > 0, "more than 0, or a RateLimit");
  }
}

function isCount(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least;
}

function need(name: string, value: unknown, holds: boolean, expected: string): void {
  if (!holds) throw new RangeError(`Cannot use ${name} "${String(value)}": expected ${expected}`);
}
