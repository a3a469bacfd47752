import { JackfieldError } from "../transport/mod.ts";
import { AT_EMPTY_PATH, F_DUPFD_CLOEXEC, STATX, STATX_BASIC_STATS } from "./layouts.ts";
import type { Libc } from "./libc.ts";

/** A number below which all descriptors are: the kernel's own default for fs.nr_open (proc(5)). */
const MAX_NUMBER = 1 << 20;
/** What is left of a positive number of 32 bits for a generation. */
const GENERATIONS = 1 << 11;

/**
 * A descriptor that was made here, and is closed here, once.
 *
 * The system gives the number of a closed one to whatever is opened next, in any thread: a number that
 * is kept for too long is somebody else's. So nobody keeps one, but this, which has none any more when
 * it was released.
 */
export class OwnDescriptor {
  #libc: Libc;
  #number: number;

  /** Takes over a number. */
  constructor(libc: Libc, number: number) {
    this.#libc = libc;
    this.#number = number;
  }

  /** A duplicate of what a number stands for; `undefined` when there can be none. */
  static duplicate(libc: Libc, number: number): OwnDescriptor | undefined {
    const copy = libc.fcntl(number, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? undefined : new OwnDescriptor(libc, copy);
  }

  /**
   * The number, for one call of the system.
   *
   * @throws {JackfieldError} `SOCKET_CLOSED` when it was released.
   */
  get number(): number {
    if (this.#number >= 0) return this.#number;
    throw stale("use");
  }

  /** Somebody else has it from now on, and will close it. */
  leave(): void {
    this.#number = -1;
  }

  /**
   * Close it.
   *
   * @throws {JackfieldError} `SOCKET_CLOSED` when it was released before.
   */
  release(): void {
    if (this.#number < 0) throw stale("release");
    this.#libc.close(this.#number);
    this.#number = -1;
  }
}

/**
 * A descriptor's number as it travels between threads, with a generation: what the kernel numbers the
 * sockets of this machine by, as far as it fits.
 *
 * @throws {JackfieldError} `SOCKET_FAILED` when it is too large; it is closed then.
 */
export function tokenOf(libc: Libc, number: number): number {
  if (number < MAX_NUMBER) return number + MAX_NUMBER * generationOf(libc, number);
  libc.close(number);
  throw new JackfieldError("SOCKET_FAILED", `Cannot duplicate socket: ${number} is too large`, {
    operation: "duplicate",
    limit: MAX_NUMBER,
  });
}

/**
 * The number of a token, if it still stands for the same socket.
 *
 * @throws {JackfieldError} `SOCKET_CLOSED` when it does not: it was adopted or discarded before.
 */
export function numberOf(libc: Libc, token: number, operation: "adopt" | "discard"): number {
  const number = token % MAX_NUMBER;
  if (tokenOf(libc, number) === token) return number;
  throw stale(operation);
}

const EMPTY_PATH = new Uint8Array(1);
const facts = new Uint8Array(STATX.bytes);
const words = new Uint32Array(facts.buffer);

function generationOf(libc: Libc, number: number): number {
  const isThere = libc.statx(number, EMPTY_PATH, AT_EMPTY_PATH, STATX_BASIC_STATS, facts) === 0;
  // One more than any rest: what is closed has no generation.
  return isThere ? 1 + words[STATX.inode / 4]! % (GENERATIONS - 1) : 0;
}

function stale(operation: string): JackfieldError {
  const message = `Cannot ${operation} descriptor: it was given back before`;
  return new JackfieldError("SOCKET_CLOSED", message, { operation });
}
