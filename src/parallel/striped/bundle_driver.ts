import type {
  DriverWatcher,
  ReadWaiter,
  SocketAddress,
  SocketDriver,
} from "../../transport/mod.ts";
import type { Incoming } from "./incoming.ts";
import type { Outgoing } from "./outgoing.ts";
import { stoppedBundle } from "./striped_errors.ts";

/** The bundle, as its user sees it. */
export interface DrivenBundle {
  readonly outgoing: Outgoing;
  readonly incoming: Incoming;
  readonly isOver: boolean;
  /** Send what was written. */
  pump(): void;
  /** Bytes were read: there is more room. */
  widen(): void;
  close(): void | Promise<void>;
  abort(): void;
}

interface Writer {
  readonly bytes: Uint8Array;
  resolve(count: number): void;
  reject(error: unknown): void;
}

/** The user's side of a bundle: who reads and who writes waits here. */
export class BundleDriver implements SocketDriver {
  #bundle: DrivenBundle;
  #address: SocketAddress;
  #watcher: DriverWatcher | undefined;
  #reader: { readonly into: Uint8Array; readonly later: ReadWaiter } | undefined;
  #writer: Writer | undefined;
  #ending: PromiseWithResolvers<void> | undefined;
  #failure: unknown;

  /** Of a bundle to this address. */
  constructor(bundle: DrivenBundle, address: SocketAddress) {
    this.#bundle = bundle;
    this.#address = address;
  }

  get hasUnread(): boolean {
    const { incoming } = this.#bundle;
    return incoming.hasBytes || incoming.isAtEnd || this.#failure !== undefined;
  }

  watch(watcher: DriverWatcher): void {
    this.#watcher = watcher;
    if (this.#failure !== undefined) queueMicrotask(() => watcher.gone(this.#failure));
  }

  read(into: Uint8Array, later: ReadWaiter): number | null | undefined {
    const { incoming } = this.#bundle;
    if (incoming.hasBytes) return this.#take(into);
    if (incoming.isAtEnd) return null;
    if (this.#failure !== undefined) throw this.#failure;
    this.#reader = { into, later };
    return undefined;
  }

  write(bytes: Uint8Array): number | Promise<number> {
    this.#assertWritable();
    const count = this.#bundle.outgoing.write(bytes);
    this.#bundle.pump();
    if (count > 0) return count;
    return new Promise((resolve, reject) => this.#writer = { bytes, resolve, reject });
  }

  /** Resolves when the far end has everything: to close before would give up what it has not. */
  closeWrite(): Promise<void> {
    this.#assertWritable();
    this.#ending = Promise.withResolvers();
    this.#bundle.outgoing.end();
    this.#bundle.pump();
    return this.#ending.promise;
  }

  /** Resolves when the far end has everything, and the connections have gone. */
  close(): void | Promise<void> {
    this.#endRead(null);
    return this.#bundle.close();
  }

  abort(): void {
    this.#bundle.abort();
  }

  /** There may be something to read. */
  continueRead(): void {
    const { incoming } = this.#bundle;
    if (incoming.hasBytes) {
      if (this.#reader === undefined) this.#watcher?.arrived();
      else this.#endRead(this.#take(this.#reader.into));
    } else if (incoming.isAtEnd) {
      if (this.#reader === undefined) this.#watcher?.ended();
      else this.#endRead(null);
    }
  }

  /** There may be room to write, or no use in it; gives whether something was written. */
  continueWrite(): boolean {
    const { outgoing } = this.#bundle;
    if (outgoing.isStopped) this.#refuseWrites(stoppedBundle(this.#address));
    if (outgoing.isOver) this.#ending?.resolve();
    const writer = this.#writer;
    if (writer === undefined) return false;
    const count = outgoing.write(writer.bytes);
    if (count === 0) return false;
    this.#writer = undefined;
    writer.resolve(count);
    return true;
  }

  /** Nothing goes on; what has come can still be read. */
  fail(failure: unknown): void {
    this.#failure = failure;
    this.#refuseWrites(failure);
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.later.reject(failure);
    this.#watcher?.gone(failure);
  }

  #take(into: Uint8Array): number {
    const count = this.#bundle.incoming.read(into);
    this.#bundle.widen();
    return count;
  }

  #endRead(result: number | null): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.later.resolve(result);
  }

  #refuseWrites(failure: unknown): void {
    this.#ending?.reject(failure); // Unless it has resolved.
    this.#writer?.reject(failure);
    this.#writer = undefined;
  }

  #assertWritable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#bundle.outgoing.isStopped || this.#bundle.isOver) throw stoppedBundle(this.#address);
  }
}
