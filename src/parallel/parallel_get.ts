import { Control } from "./control.ts";
import { Crew, type CrewOptions } from "./crew.ts";
import { brokenTooOften, isBroken, wrongDigest } from "./failures.ts";
import { openFileOutput } from "./file_output.ts";
import { findFile, type Found, type FoundPart, type OneSocketReason } from "./find_file.ts";
import type { ParallelGetOptions, ParallelGetResult } from "./get_options.ts";
import { type GetSettings, getSettingsOf } from "./get_settings.ts";
import { waitAfter } from "./backoff.ts";
import { MemoryOutput } from "./memory_output.ts";
import type { Hashing, Output } from "./output.ts";
import { Pace } from "./pace.ts";
import { ProgressMeter } from "./progress.ts";
import { repairFile } from "./repair.ts";
import { RunningDigest } from "./running_digest.ts";
import { Sites } from "./sites.ts";
import { StreamOutput } from "./stream_output.ts";
import { UnitPlan } from "./unit_plan.ts";
import { FIRST_UNIT_BYTES, unitSizeFor } from "./unit_size.ts";
import { readWholeFile } from "./whole_file.ts";

/**
 * Fetch one file over several sockets at once.
 *
 * The file is cut into data units; each is asked for as a range on a socket of a pool and written in
 * its place, or given to a stream in order. A unit whose socket dies or stalls is fetched again on
 * another, and who has nothing left to do takes over a part of what the slowest has. Every part is
 * asked for with If-Range, so that parts of two contents are never put together; a server that has no
 * strong validator, or no ranges, is read with one socket. A file is written beside its target and
 * takes the name when it is complete and its digest is right; after a kill the next run goes on.
 *
 * Memory: 512 KiB per socket; for a stream also `maxBufferBytes`, for `data` also the file.
 *
 * @throws {JackfieldError} `CONNECT_FAILED`, `CONNECT_TIMEOUT` or `NAME_NOT_FOUND` when there is no
 * connection; `HTTP_STATUS` (with `status`); `HTTP_BAD_RESPONSE`; `FILE_FAILED` (with `osCode`, such
 * as `ENOSPC`); `TRANSFER_FAILED`, with `operation` `compare` when the file has changed, `verify` when
 * its digest is wrong, and `get` when the connection broke too often or the server vanished.
 * @throws {TypeError} For a URL that is none.
 * @throws {RangeError} For options out of range.
 */
export async function parallelGet(
  url: string | URL,
  options: ParallelGetOptions,
): Promise<ParallelGetResult> {
  const settings = getSettingsOf(url, options);
  settings.signal?.throwIfAborted();
  const control = new Control(settings);
  const sites = new Sites(settings);
  let output: Output | undefined;
  let failure: unknown;
  try {
    output = await openOutput(settings, control);
    const result = await new Get(settings, control, sites, output).run();
    output = undefined;
    return result;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    control.end();
    await sites.close();
    await output?.drop(failure);
  }
}

async function openOutput(settings: GetSettings, control: Control): Promise<Output> {
  const { to, transport, maxDataBytes, maxBufferBytes, hasDigest } = settings;
  const hash = transport.host.hash!;
  if (to === undefined) return new MemoryOutput(maxDataBytes);
  if (typeof to === "string") {
    return await openFileOutput(to, { ...settings, hash, url: settings.url.href });
  }
  const digest = hasDigest ? hash.sha256() : undefined;
  return new StreamOutput(to, { maxBufferBytes, control, digest });
}

/** One run: find the file, fetch it, verify it, keep it. */
class Get {
  #settings: GetSettings;
  #control: Control;
  #sites: Sites;
  #output: Output;
  #meter: ProgressMeter;
  #pace: Pace | undefined;
  #reason: OneSocketReason | undefined;
  #serverDigest: string | undefined;
  /** How a file that came in parts is fetched again. */
  #crewOptions: Omit<CrewOptions, "plan" | "meter"> | undefined;
  #unitBytes = 0;

  constructor(settings: GetSettings, control: Control, sites: Sites, output: Output) {
    this.#settings = settings;
    this.#control = control;
    this.#sites = sites;
    this.#output = output;
    this.#meter = new ProgressMeter(settings.onProgress);
    const { bytesPerSecond } = settings;
    this.#pace = bytesPerSecond === Infinity ? undefined : new Pace(bytesPerSecond, control);
  }

  async run(): Promise<ParallelGetResult> {
    const { hashing, size } = await this.#fetch();
    await this.#output.flush(size);
    this.#control.assertGoing();
    const digest = hashing === undefined ? "" : await hashing.finish(size);
    const verified = hashing === undefined ? undefined : await this.#verify(digest, size);
    this.#meter.tell(); // A callback that throws must not leave a file behind.
    this.#control.assertGoing();
    const kept = await this.#output.keep(size);
    return {
      url: this.#sites.current.url.href,
      bytes: this.#meter.fetchedBytes,
      totalBytes: size,
      digest: verified?.digest ?? digest,
      isVerified: verified?.isVerified ?? false,
      sockets: this.#meter.sockets(),
      ...(this.#reason === undefined ? {} : { oneSocketReason: this.#reason }),
      ...kept,
    };
  }

  /** Fetch all of it; a file that comes whole begins anew when its connection breaks. */
  async #fetch(): Promise<{ readonly hashing: Hashing | undefined; readonly size: number }> {
    const { url, retries } = this.#settings;
    for (let failures = 0;;) {
      const found = await this.#find();
      this.#serverDigest = found.digest;
      this.#reason = found.reason;
      const hashing = this.#newHashing();
      if (found.part !== undefined) {
        await this.#fetchParts(found, found.part, hashing);
        return { hashing, size: found.part.size };
      }
      try {
        const size = await readWholeFile(found, { ...this.#common, hashing, url: url.href });
        return { hashing, size };
      } catch (error) {
        this.#control.assertGoing();
        if (!isBroken(error)) throw error;
        failures++;
        if (!this.#output.mayBeginAnew || failures > retries) {
          throw brokenTooOften(error, failures);
        }
        await this.#control.delay(waitAfter(failures, this.#settings));
      }
    }
  }

  #find(): Promise<Found> {
    const { unitBytes, hasDigest, unitDigests } = this.#settings;
    return findFile({
      ...this.#settings,
      site: this.#sites.current,
      move: (from, location) => this.#sites.move(from, location),
      control: this.#control,
      firstBytes: unitBytes ?? FIRST_UNIT_BYTES,
      leftover: this.#output.leftover,
      reason: this.#reason,
      wantsDigest: hasDigest,
      wantsUnitDigest: unitDigests,
    });
  }

  async #fetchParts(found: Found, part: FoundPart, hashing: Hashing | undefined): Promise<void> {
    const { url, unitBytes, sockets, unitDigests } = this.#settings;
    const { range, size, validator, leftover } = part;
    const { site, lease, watch, answer } = found;
    this.#unitBytes = unitBytes ?? this.#chooseUnitBytes(size - range.end);
    const plan = new UnitPlan({ size, unitBytes: this.#unitBytes, done: leftover?.done });
    const options = this.#crewOptions = {
      ...this.#settings,
      ...this.#common,
      site,
      validator,
      hashing,
      hash: this.#settings.transport.host.hash!,
      sockets,
      isUnitFixed: unitBytes !== undefined,
      wantsUnitDigest: unitDigests,
    };
    const crew = new Crew({ ...options, plan });
    this.#meter.totalBytes = size;
    this.#meter.resumedBytes = plan.doneBytes;
    try {
      if (leftover !== undefined) await this.#output.resume();
      else {
        const start = { url: url.href, size, unitBytes: this.#unitBytes, validator };
        await this.#output.begin(start, crew.wake);
      }
    } catch (error) {
      watch.end();
      lease.discard();
      throw error;
    }
    hashing?.advance(plan.frontier);
    if (plan.isComplete) {
      watch.end();
      lease.discard(); // It was asked only whether the file is the same.
      return;
    }
    const piece = plan.claimExactly(range.start, range.end);
    await crew.run({ lease, watch, answer, piece });
  }

  /**
   * Make sure that the file is what somebody says it is; put it right where that can be done.
   *
   * @throws {JackfieldError} `TRANSFER_FAILED` with `operation` `verify`.
   */
  async #verify(
    digest: string,
    size: number,
  ): Promise<{ readonly digest: string; readonly isVerified: boolean }> {
    const { expectedDigest } = this.#settings;
    const isVerified = (expectedDigest ?? this.#serverDigest) !== undefined;
    let actual = digest;
    let error = this.#wrongDigest(actual);
    if (error === undefined) return { digest: actual, isVerified };
    // A server whose own digest is right has sent what it has: that is another file than expected.
    const { repair = this.#serverDigest !== undefined && this.#serverDigest !== actual } =
      this.#settings;
    if (!repair || this.#crewOptions?.validator === undefined || this.#output.read === undefined) {
      throw error;
    }
    const sized = { size, unitBytes: this.#unitBytes };
    if (await repairFile(this.#crewOptions, sized) === 0) throw error;
    actual = await this.#newHashing()!.finish(size);
    error = this.#wrongDigest(actual);
    if (error !== undefined) throw error;
    return { digest: actual, isVerified };
  }

  #wrongDigest(actual: string): Error | undefined {
    const { expectedDigest } = this.#settings;
    if (expectedDigest !== undefined && expectedDigest !== actual) {
      return wrongDigest("the digest that was given", expectedDigest, actual);
    }
    if (this.#serverDigest !== undefined && this.#serverDigest !== actual) {
      return wrongDigest("the server", this.#serverDigest, actual);
    }
    return undefined;
  }

  get #common(): Pick<CrewOptions, "output" | "control" | "meter" | "pace"> {
    return {
      output: this.#output,
      control: this.#control,
      meter: this.#meter,
      pace: this.#pace,
    };
  }

  #newHashing(): Hashing | undefined {
    const { hasDigest, transport } = this.#settings;
    if (!hasDigest) return undefined;
    if (this.#output instanceof StreamOutput) return this.#output;
    return new RunningDigest(this.#output, transport.host.hash!.sha256(), this.#control);
  }

  /** A stream needs room for two units of every socket: one that comes, and one that waits. */
  #chooseUnitBytes(restBytes: number): number {
    const { sockets, maxBufferBytes } = this.#settings;
    const unitBytes = unitSizeFor(restBytes, sockets);
    if (this.#output.limit === Infinity) return unitBytes;
    return Math.max(Math.min(unitBytes, Math.floor(maxBufferBytes / (2 * sockets))), 16 * 1024);
  }
}
