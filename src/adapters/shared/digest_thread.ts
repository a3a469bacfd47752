import { Worker as NodeWorker } from "node:worker_threads";
import type { Clock, FileDigestAlgorithm } from "../../transport/mod.ts";

/** What a thread is sent: bytes of one digest after the other, or that one is not wanted. */
export interface Order {
  /** Which digest. */
  readonly id: number;
  /** Its name in `node:crypto`. */
  readonly algorithm: string;
  /** What comes next; without it the digest is not wanted any more. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** Whether that is all. */
  readonly isLast?: boolean;
}

/** What it sends back: the bytes, to be filled again, or the digest. */
export interface Reply {
  /** Which digest. */
  readonly id: number;
  /** The bytes that were sent, when there are to be more. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** The result. */
  readonly digest?: Uint8Array<ArrayBuffer>;
}

/**
 * The script. It stands here and not in a file of its own because a `data:` URL needs no permission
 * to read the package, and works wherever that was loaded from.
 */
const SCRIPT = `
import { createHash } from "node:crypto";
import { parentPort } from "node:worker_threads";

const port = typeof self === "object" && "postMessage" in self ? self : parentPort;
const hashes = new Map();
port.onmessage = ({ data: { id, algorithm, bytes, isLast } }) => {
  if (bytes === undefined) return void hashes.delete(id);
  const hash = hashes.get(id) ?? createHash(algorithm);
  hash.update(bytes);
  if (!isLast) {
    hashes.set(id, hash);
    return port.postMessage({ id, bytes }, [bytes.buffer]);
  }
  hashes.delete(id);
  port.postMessage({ id, digest: new Uint8Array(hash.digest()) });
};
`;

/** How long an idle thread stays; one that would keep the program alive does not. */
const IDLE_MS = 5000;

/** The part of the runtimes' workers that is used, whatever they call it. */
export interface Thread {
  /** Send an order; its bytes go along and are empty here. */
  post(order: Order): void;
  /** End it at once. */
  end(): void;
  /** Whether the program may not end without it; missing where nobody can tell it so. */
  readonly keepAlive?: (isNeeded: boolean) => void;
}

/** Starts a thread, or throws; `onLost` is told when it fails. */
export type StartThread = (onReply: (reply: Reply) => void, onLost: () => void) => Thread;

/** Computes digests in one thread, which is started when it is needed and ended when it is idle. */
export class DigestThread {
  #start: StartThread;
  #thread: Thread | undefined;
  #waiters = new Map<number, (reply: Reply | undefined) => void>();
  #ids = 0;
  #jobs = 0;
  #schedule: Clock["schedule"];
  #cancelEnd: (() => void) | undefined;

  /** Starts nothing yet. */
  constructor(start: StartThread = startThread, schedule: Clock["schedule"] = scheduleQuietly) {
    this.#start = start;
    this.#schedule = schedule;
  }

  /**
   * Compute a digest of what `read` gives, piece by piece: it fills the bytes from the start and
   * says how many, `size` in all.
   *
   * @returns `undefined` when the runtime starts no thread, or has lost it
   * @throws Whatever `read` throws.
   */
  async digest(
    algorithm: FileDigestAlgorithm,
    size: number,
    pieceBytes: number,
    read: (piece: Uint8Array<ArrayBuffer>, position: number) => Promise<number>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const id = this.#ids++;
    this.#begin();
    let isDone = false;
    let thread: Thread | undefined;
    try {
      let piece = new Uint8Array(Math.min(pieceBytes, size));
      for (let at = 0;;) {
        const count = await read(piece.subarray(0, size - at), at);
        at += count;
        const isLast = at >= size;
        const bytes = piece.subarray(0, count);
        thread ??= this.#running();
        const order = { id, algorithm: NAMES[algorithm], bytes, isLast };
        const reply = thread && await this.#ask(thread, order);
        if (reply?.bytes === undefined) {
          isDone = true;
          return reply?.digest;
        }
        piece = new Uint8Array(reply.bytes.buffer);
      }
    } finally {
      if (!isDone && thread === this.#thread) thread?.post({ id, algorithm: "" });
      this.#leave();
    }
  }

  /** The thread, which is started if there is none. */
  #running(): Thread | undefined {
    try {
      return this.#thread ??= this.#start((reply) => this.#settle(reply), () => this.#lose());
    } catch {
      return undefined; // For whatever reason: there is another way.
    }
  }

  #ask(thread: Thread, order: Order): Promise<Reply | undefined> {
    return new Promise((resolve) => {
      // Another thread knows nothing of the pieces before.
      if (thread !== this.#thread) return resolve(undefined);
      this.#waiters.set(order.id, resolve);
      thread.post(order);
    });
  }

  #settle(reply: Reply): void {
    const waiter = this.#waiters.get(reply.id);
    this.#waiters.delete(reply.id);
    waiter?.(reply);
  }

  /** The thread is gone: whoever waits is told, and the next one starts another. */
  #lose(): void {
    this.#end();
    for (const waiter of this.#waiters.values()) waiter(undefined);
    this.#waiters.clear();
  }

  #begin(): void {
    this.#cancelEnd?.();
    if (this.#jobs++ === 0) this.#thread?.keepAlive?.(true);
  }

  #leave(): void {
    if (--this.#jobs > 0 || this.#thread === undefined) return;
    if (this.#thread.keepAlive === undefined) return this.#end();
    this.#thread.keepAlive(false);
    this.#cancelEnd = this.#schedule(IDLE_MS, () => this.#end());
  }

  #end(): void {
    this.#thread?.end();
    this.#thread = undefined;
  }
}

/** Like the clock of the runtime, but the program may end before. */
function scheduleQuietly(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  (timer as { unref?(): void }).unref?.();
  return () => clearTimeout(timer);
}

/** The names that `node:crypto` has for them. */
export const NAMES: Readonly<Record<FileDigestAlgorithm, string>> = {
  "sha-256": "sha256",
  "sha-512": "sha512",
};

/** The part of the web's Worker that is used. */
interface WebWorker {
  onmessage: ((event: { readonly data: Reply }) => void) | null;
  onerror: ((event: { preventDefault(): void }) => void) | null;
  postMessage(order: Order, transfer: readonly ArrayBuffer[]): void;
  terminate(): void;
  ref?(): void;
  unref?(): void;
}

/** Deno and Bun have the web's Worker; Deno's `node:worker_threads` loses messages (2.9.6). */
function startThread(onReply: (reply: Reply) => void, onLost: () => void): Thread {
  const script = `data:text/javascript,${encodeURIComponent(SCRIPT)}`;
  const { Worker } = globalThis as unknown as {
    readonly Worker?: new (url: string, options: { readonly type: "module" }) => WebWorker;
  };
  if (Worker === undefined) {
    const worker = new NodeWorker(new URL(script));
    worker.on("message", onReply);
    worker.on("error", onLost);
    return {
      post: (order) => worker.postMessage(order, transferOf(order)),
      end: () => void worker.terminate(),
      keepAlive: (isNeeded) => isNeeded ? worker.ref() : worker.unref(),
    };
  }
  const worker = new Worker(script, { type: "module" });
  worker.onmessage = ({ data }) => onReply(data);
  worker.onerror = (event) => {
    event.preventDefault();
    onLost();
  };
  return {
    post: (order) => worker.postMessage(order, transferOf(order)),
    end: () => worker.terminate(),
    ...(worker.unref === undefined
      ? {}
      : { keepAlive: (isNeeded: boolean) => isNeeded ? worker.ref?.() : worker.unref?.() }),
  };
}

function transferOf({ bytes }: Order): ArrayBuffer[] {
  return bytes === undefined ? [] : [bytes.buffer];
}
