/** Options of {@linkcode DownloadServer.handOver}. */
export interface HandOverOptions {
  /**
   * The script that the new process runs.
   *
   * @default {the program's own main script}
   */
  readonly script?: string | URL;
  /**
   * The arguments that it is given.
   *
   * @default {those of this process}
   */
  readonly args?: readonly string[];
  /**
   * Milliseconds for each answer of the new process, its start included; after that it is ended, and
   * this one goes on.
   *
   * @default {30_000}
   */
  readonly timeoutMs?: number;
  /** Gives up, as long as the new process does not serve. */
  readonly signal?: AbortSignal;
}

/** A handover that has succeeded. */
export interface HandOverResult {
  /** The process that serves from now on. */
  readonly pid: number;
  /** How many connections have moved, idle ones and those with a half-sent download. */
  readonly moved: number;
  /** Resolves when nothing is left in this process: it may end then. */
  readonly drained: Promise<void>;
}
