// Small stand-ins for what adapters bring.
import type {
  DriverWatcher,
  ListenerDriver,
  Socket,
  SocketAddress,
  SocketDriver,
  SocketFacts,
} from "../../src/core.ts";
import { createSocket } from "../../src/core.ts";

/** The ends of a connection that nobody has. */
export const ENDS: SocketFacts = {
  localAddress: { hostname: "127.0.0.1", port: 1 },
  remoteAddress: { hostname: "192.0.2.1", port: 80 },
};

/** A runtime's error with a code of the system. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** A promise that somebody else settles. */
export function deferred<T = void>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}

/**
 * A driver of a connection that does what it is told: `reads` and `writes` are taken one by one; a
 * call without one waits until the driver is closed or aborted.
 */
export class FakeDriver implements SocketDriver {
  /** What was called, in order; writes with their text. */
  readonly calls: string[] = [];
  /** What `read` gives. */
  readonly reads: (string | null | Error | Promise<string | null>)[] = [];
  /** How much `write` takes. */
  readonly writes: (number | Error | Promise<number>)[] = [];
  /** The `Socket` that listens; without one it tells nobody. */
  watcher: DriverWatcher | undefined;
  /** Told by `close`, and what it waits for. */
  closing: (() => void | Promise<void>) | undefined;
  /** Told by `closeWrite`, and what it waits for. */
  halving: (() => void | Promise<void>) | undefined;
  #over = deferred<never>();

  constructor() {
    this.#over.promise.catch(() => {});
  }

  async read(into: Uint8Array): Promise<number | null> {
    this.calls.push("read");
    const next = await (this.reads.length > 0 ? this.reads.shift()! : this.#over.promise);
    if (next instanceof Error) throw next;
    if (next === null) return null;
    return new TextEncoder().encodeInto(next, into).written;
  }

  write(bytes: Uint8Array): number | Promise<number> {
    this.calls.push(`write ${new TextDecoder().decode(bytes)}`);
    const next = this.writes.length > 0 ? this.writes.shift()! : bytes.byteLength;
    if (next instanceof Error) throw next;
    return typeof next === "number" ? next : Promise.race([next, this.#over.promise]);
  }

  closeWrite(): void | Promise<void> {
    this.calls.push("closeWrite");
    return this.halving?.();
  }

  close(): void | Promise<void> {
    this.calls.push("close");
    this.#over.reject(systemError("EPIPE"));
    return this.closing?.();
  }

  abort(): void {
    this.calls.push("abort");
    this.#over.reject(systemError("EPIPE"));
  }

  watch(watcher: DriverWatcher): void {
    this.watcher = watcher;
  }
}

/** One read of a driver, whether it answers at once, by a promise or later. */
export function readDriver(driver: SocketDriver, into: Uint8Array): Promise<number | null> {
  const { promise, resolve, reject } = deferred<number | null>();
  const result = driver.read(into, { resolve, reject });
  return result === undefined ? promise : Promise.resolve(result);
}

/** A socket over a {@linkcode FakeDriver}. */
export function fakeSocket(
  facts: Partial<SocketFacts> = {},
): { socket: Socket; driver: FakeDriver } {
  const driver = new FakeDriver();
  return { socket: createSocket(driver, { ...ENDS, ...facts }), driver };
}

/** A listening socket whose accepts the test settles. */
export class FakeListenerDriver implements ListenerDriver {
  readonly address: SocketAddress;
  /** Accepts on the way. */
  readonly asked: PromiseWithResolvers<Socket>[] = [];
  /** How often `accept` was called. */
  accepts = 0;
  closed = 0;
  referenced = true;

  constructor(port = 1, hostname = "127.0.0.1") {
    this.address = { hostname, port };
  }

  accept(): Promise<Socket> {
    this.accepts++;
    const asked = deferred<Socket>();
    this.asked.push(asked);
    return asked.promise;
  }

  /** A connection has come. */
  give(socket: Socket): void {
    this.asked.shift()!.resolve(socket);
  }

  /** An accept has failed. */
  fail(error: unknown): void {
    this.asked.shift()!.reject(error);
  }

  close(): void {
    this.closed++;
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }
}
