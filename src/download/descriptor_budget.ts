import type { DescriptorUse, Host } from "../transport/mod.ts";

/** Where the system cannot be asked: what most shells begin with, and a runtime's own. */
const ASSUMED: DescriptorUse = { limit: 1024, open: 48 };
const NO_LIMIT: DescriptorUse = { limit: Infinity, open: 0 };
/** Room for what the runtime and the program open later: names, threads, sockets of their own. */
const SPARE = { least: 16, most: 1024 } as const;
/** Pipes and the like, until a child runs. */
const FOR_A_PROCESS = 24;
/** Connections that the runtime may accept before it can be stopped, and that nobody has taken. */
const PENDING = { least: 4, most: 256 } as const;
/** Files that are open, and once more as many that are kept for the next request. */
const FILES = { least: 8, most: 4096 } as const;

/** Options of {@linkcode DescriptorBudget}. */
export interface DescriptorBudgetOptions {
  /** Says what the system tells; a host that has no such part has no descriptors to count. */
  readonly host: Pick<Host, "descriptorUse">;
  /** In the place of the system's limit. */
  readonly limit?: number | undefined;
  /** Connections never take more than that. */
  readonly maxConnections: number;
  /** How many descriptors a connection may have: two, if a duplicate of it travels. */
  readonly each: 1 | 2;
  /** Whether a process may have to be started when it is full. @default {false} */
  readonly startsProcesses?: boolean;
}

/**
 * Divides the descriptors of a process among those who open them, and counts connections.
 *
 * The shares are fixed, so that nobody's can be used up by others: files have theirs, and accepting
 * stops while there is room for all that one turn of the event loop may accept. A budget that is full
 * has room again when a sixteenth of its connections has ended, lest each single end starts what the
 * next connection stops.
 */
export class DescriptorBudget {
  /** How many there may be. */
  readonly limit: number;
  /** How many files may be open. */
  readonly maxFiles: number;
  /** How many connections may be accepted that nobody has taken. */
  readonly maxPending: number;
  #host: Pick<Host, "descriptorUse">;
  #each: number;
  #asked: number;
  #spare: number;
  #open = 0;
  #maxConnections = 1;
  #connections = 0;
  #isFull = false;

  /** Reads the limit; nothing is counted yet. */
  constructor({ host, limit, maxConnections, each, startsProcesses }: DescriptorBudgetOptions) {
    this.#host = host;
    this.limit = limit ?? useOf(host).limit;
    this.#each = each;
    this.#asked = maxConnections;
    const sixteenth = Math.floor(this.limit / 16);
    this.maxPending = between(PENDING, 2 * sixteenth);
    this.maxFiles = between(FILES, sixteenth);
    this.#spare = between(SPARE, sixteenth) + (startsProcesses ? FOR_A_PROCESS : 0);
    this.measure();
  }

  /**
   * Look again at what the process has open besides connections: engines and listeners, by now. Of
   * that, `arrived` are connections and files that are going to be counted.
   */
  measure(arrived = 0): void {
    this.#open = Math.max(0, useOf(this.#host).open - arrived - this.#each * this.#connections);
    const left = this.limit - this.#open - this.#spare - this.maxPending - 2 * this.maxFiles;
    this.#maxConnections = Math.max(1, Math.min(this.#asked, Math.floor(left / this.#each)));
  }

  /** The high-water mark: with so many connections it is full. */
  get maxConnections(): number {
    return this.#maxConnections;
  }

  /** The low-water mark. */
  get roomBelow(): number {
    return this.#maxConnections - Math.max(1, this.#maxConnections >> 4);
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#connections;
  }

  /** Whether nothing more should be accepted. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** How many descriptors are in use, with so many open files. */
  used(openFiles: number): number {
    return this.#open + openFiles + this.#connections * this.#each;
  }

  /** A connection has come. */
  add(): void {
    this.#connections++;
    if (this.#connections >= this.maxConnections) this.#isFull = true;
  }

  /** A connection has ended; whether there is room now, and was none. */
  remove(): boolean {
    this.#connections--;
    if (!this.#isFull || this.#connections > this.roomBelow) return false;
    this.#isFull = false;
    return true;
  }
}

function useOf({ descriptorUse: tell }: Pick<Host, "descriptorUse">): DescriptorUse {
  return tell === undefined ? NO_LIMIT : tell() ?? ASSUMED;
}

function between(
  { least, most }: { readonly least: number; readonly most: number },
  count: number,
): number {
  return Math.max(least, Math.min(most, count));
}
