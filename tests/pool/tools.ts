import {
  type AcquireOptions,
  type JackfieldError,
  type Listener,
  type PoolStats,
  type SocketLease,
  SocketPool,
  type SocketPoolOptions,
} from "../../src/core.ts";
import { type MemoryTransport, memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { echoServer, rejection } from "../transport/tools.ts";
import { FakeTransport, type FakeTransportOptions } from "./fake_transport.ts";

/** A target that nobody has to reach. */
export const TARGET = { hostname: "127.0.0.1", port: 80 };

/** A pool over sockets in memory, and the echo server at their other end. */
export interface PoolOnEcho {
  readonly transport: MemoryTransport;
  readonly listener: Listener;
  readonly pool: SocketPool;
  /** Close everything; what is open afterwards has leaked. */
  end(): Promise<number>;
}

/** What a pool holds, without the part of each target. */
export function sums<Session>(pool: SocketPool<Session>): Omit<PoolStats, "targets"> {
  const { targets: _targets, ...rest } = pool.stats();
  return rest;
}

/** A pool whose connects the test answers, and whose time it moves. */
export interface PoolOnFakes<Session> {
  readonly clock: VirtualClock;
  readonly transport: FakeTransport;
  readonly pool: SocketPool<Session>;
}

/**
 * Make a pool over connects that stand at once, unless `answer` says otherwise, and virtual time. No
 * chance: backoffs and lifetimes have their full length.
 */
export function poolOnFakes<Session = undefined>(
  options: Partial<SocketPoolOptions<Session>> = {},
  fakes: FakeTransportOptions = {},
): PoolOnFakes<Session> {
  const clock = new VirtualClock();
  const transport = new FakeTransport({ answer: (connect) => void connect.open(), ...fakes });
  const usual = { transport, target: TARGET, clock, random: () => 0 };
  return { clock, transport, pool: new SocketPool<Session>({ ...usual, ...options }) };
}

/** Lease so many at once. */
export function lease<Session>(
  pool: SocketPool<Session>,
  count: number,
  options?: AcquireOptions,
): Promise<SocketLease<Session>[]> {
  return Promise.all(Array.from({ length: count }, () => pool.acquire(options)));
}

/** Have so many idle sockets. */
export async function idle<Session>(pool: SocketPool<Session>, count: number): Promise<void> {
  for (const one of await lease(pool, count)) one.release();
}

/** What a call was refused with. */
export async function refusal(promise: PromiseLike<unknown>): Promise<JackfieldError> {
  return await rejection(promise) as JackfieldError;
}

/** When a call was settled on a clock, and with what: a code, or the port of the lease. */
export async function outcomeOf<Session>(
  asked: Promise<SocketLease<Session>>,
  clock: VirtualClock,
): Promise<{ atMs: number; code?: string; lease?: SocketLease<Session> }> {
  try {
    const lease = await asked;
    return { atMs: clock.now(), lease };
  } catch (error) {
    return { atMs: clock.now(), code: (error as JackfieldError).code ?? String(error) };
  }
}

/** Make a pool on an echo server in memory. */
export async function poolOnEcho(options: Partial<SocketPoolOptions> = {}): Promise<PoolOnEcho> {
  const transport = memoryTransport();
  const listener = await transport.listen();
  const served = echoServer(listener);
  const pool = new SocketPool({ transport, target: listener.address, maxSize: 4, ...options });
  return {
    transport,
    listener,
    pool,
    async end() {
      await pool.close();
      await listener.close();
      await served;
      for (let turn = 0; turn < 100 && transport.openEnds > 0; turn++) await Promise.resolve();
      return transport.openEnds;
    },
  };
}

/** An abort signal that knows who listens. */
export function watchedSignal(): { controller: AbortController; listeners: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (count++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (count--, remove(...args));
  return { controller, listeners: () => count };
}
