import { type FileDigestAlgorithm, JackfieldError } from "../transport/mod.ts";
import { isSameVersion, isSettled } from "./file_version.ts";
import type { OpenFiles, SharedFile } from "./open_files.ts";

type DigestBytes = Uint8Array<ArrayBuffer>;

/** A digest that is being computed, or waits for its turn. */
interface Job {
  readonly result: Promise<DigestBytes>;
  readonly stop: AbortController;
  /** How many still want it. */
  askers: number;
}

/** Settings of {@linkcode FileDigests}. */
export interface FileDigestsSettings {
  /** Keeps the descriptors. */
  readonly openFiles: OpenFiles;
  /** The most that are computed at once. */
  readonly maxActive: number;
  /** The most that are remembered. */
  readonly maxKept: number;
  /** The time of day, in milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** Digests of files, computed once for each version. */
export class FileDigests {
  #settings: FileDigestsSettings;
  /** By algorithm and version; the one that was used last is at the end. */
  #kept = new Map<string, DigestBytes>();
  #jobs = new Map<SharedFile, Map<FileDigestAlgorithm, Job>>();
  #active = 0;
  #line = new Set<() => void>();

  constructor(settings: FileDigestsSettings) {
    this.#settings = settings;
  }

  /** Those digests of an open file that are remembered. */
  known(shared: SharedFile): Map<FileDigestAlgorithm, DigestBytes> {
    const known = new Map<FileDigestAlgorithm, DigestBytes>();
    if (this.#kept.size === 0) return known;
    for (const algorithm of ["sha-256", "sha-512"] as const) {
      const kept = this.#kept.get(`${algorithm} ${shared.version}`);
      if (kept !== undefined) known.set(algorithm, kept.slice());
    }
    return known;
  }

  /** The digest of an open file; `isUnchanged` is asked when it has been read. */
  async get(
    shared: SharedFile,
    algorithm: FileDigestAlgorithm,
    isUnchanged: () => Promise<boolean>,
    signal?: AbortSignal,
  ): Promise<DigestBytes> {
    signal?.throwIfAborted();
    const key = `${algorithm} ${shared.version}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, kept);
      if (await isUnchanged()) return kept.slice();
      throw changed();
    }
    const job = this.#jobs.get(shared)?.get(algorithm) ?? this.#begin(shared, algorithm, key);
    job.askers++;
    try {
      const digest = await unlessAborted(job.result, signal);
      if (await isUnchanged()) return digest.slice();
      throw changed();
    } finally {
      if (--job.askers === 0) {
        job.stop.abort();
        this.#forget(shared, algorithm, job); // Whoever asks next begins anew.
      }
    }
  }

  #begin(shared: SharedFile, algorithm: FileDigestAlgorithm, key: string): Job {
    const stop = new AbortController();
    const result = this.#compute(shared, algorithm, key, stop.signal);
    const job: Job = { result, stop, askers: 0 };
    const jobs = this.#jobs.get(shared) ?? new Map<FileDigestAlgorithm, Job>();
    this.#jobs.set(shared, jobs.set(algorithm, job));
    const forget = () => this.#forget(shared, algorithm, job);
    result.then(forget, forget); // A failure is told to those who asked, if any is left.
    return job;
  }

  #forget(shared: SharedFile, algorithm: FileDigestAlgorithm, job: Job): void {
    const jobs = this.#jobs.get(shared);
    if (jobs?.get(algorithm) !== job) return;
    jobs.delete(algorithm);
    if (jobs.size === 0) this.#jobs.delete(shared);
  }

  async #compute(
    shared: SharedFile,
    algorithm: FileDigestAlgorithm,
    key: string,
    signal: AbortSignal,
  ): Promise<DigestBytes> {
    const { openFiles, nowMs } = this.#settings;
    shared.users++; // The descriptor must outlive whoever asked first.
    try {
      await this.#turn(signal);
      try {
        const isExact = isSettled(shared.facts, nowMs());
        const digest = await shared.file.digest(algorithm, shared.facts.size, signal);
        if (isExact && isSameVersion(await shared.file.stat(), shared.facts)) {
          this.#keep(key, digest);
        }
        return digest;
      } finally {
        this.#passTurn();
      }
    } finally {
      openFiles.release(shared);
    }
  }

  /** Wait until one more may be computed. */
  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#active < this.#settings.maxActive) {
      this.#active++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#line.delete(go);
        reject(signal.reason);
      };
      const go = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#line.add(go);
    });
  }

  #passTurn(): void {
    for (const next of this.#line) {
      this.#line.delete(next);
      return next();
    }
    this.#active--;
  }

  #keep(key: string, digest: DigestBytes): void {
    this.#kept.set(key, digest);
    if (this.#kept.size <= this.#settings.maxKept) return;
    this.#kept.delete(this.#kept.keys().next().value!);
  }
}

function changed(): JackfieldError {
  const message = "Cannot digest file: it changed meanwhile";
  return new JackfieldError("FILE_CHANGED", message, { operation: "digest" });
}

/** Wait for something as long as the caller does; no listener stays behind. */
function unlessAborted<T>(begun: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return begun;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    begun.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
