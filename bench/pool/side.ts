// What each contender has to do. Every contender has loops of its own, as its users have, so that
// the compilers see one kind of pool in each of them.
import type { Socket } from "../../src/core.ts";

/** What all contenders are given. */
export interface Setup {
  /** The bound, and how many are made before anything is timed. */
  readonly sockets: number;
  /** What a contender calls to make one. */
  readonly connect: () => Promise<Socket>;
  /** Limits every wait, where the contender can. */
  readonly timeoutMs?: number;
}

/** A socket in somebody's hand. */
export interface Held {
  /** What was lent. */
  readonly socket: Socket;
  /** Give it back. */
  giveBack(): void;
}

/** A contender with its sockets idle. */
export interface PoolSide {
  /** Acquire and release, the acquire awaited, one after the other. */
  awaited(count: number): Promise<void>;
  /** The same without a promise, where there is such a way. */
  synchronous?(count: number): void;
  /** Run a function with a socket, where there is such a way. */
  use?(count: number): Promise<void>;
  /**
   * So many tasks at once: each acquires, holds over one turn of the microtasks, releases and begins
   * anew, until all together have done `count`.
   */
  contended(tasks: number, count: number): Promise<void>;
  /** Lend one, for the checks. */
  lend(): Promise<Held>;
  /** Acquire and nothing else: for what one that waits keeps in memory. */
  ask(): Promise<unknown>;
  /** Give everything back; leaves no timer. */
  close(): void | Promise<void>;
}

/** What a task given to `use` returns: one of the contenders insists on a promise. */
export const DONE: Promise<void> = Promise.resolve();

/** What a loop throws that was handed nothing. */
export function emptyHand(): Error {
  return new Error("the pool lent nothing");
}

/** Lend so many at once and give them back: they are idle then. */
export async function fill(side: PoolSide, sockets: number): Promise<void> {
  const held: Promise<Held>[] = [];
  for (let i = 0; i < sockets; i++) held.push(side.lend());
  for (const one of await Promise.all(held)) one.giveBack();
}
