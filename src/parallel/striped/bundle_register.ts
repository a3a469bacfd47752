import type { Clock } from "../../transport/mod.ts";
import type { BundleEngine } from "./bundle_engine.ts";
import { type Hello, KEY_BYTES, type Outcome, sameKey } from "./hello.ts";

/** How long it is known how a bundle has ended: whoever missed the last word may ask. */
const REMEMBERED_MS = 60_000;
/** And of how many. */
const MOST_REMEMBERED = 1024;

/** A bundle that stands, or how it has ended. */
interface Entry {
  readonly key: Uint8Array;
  readonly unitBytes: number;
  /** While it stands. */
  engine: BundleEngine | undefined;
  outcome: Outcome;
  endedMs: number;
}

const NO_KEY: Uint8Array = new Uint8Array(KEY_BYTES);

/** The bundles of a listener, by their names. */
export class BundleRegister {
  #clock: Clock;
  #standing = new Map<string, Entry>();
  /** In the order of their ends. */
  #ended = new Map<string, Entry>();

  /** Empty. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many stand. */
  get size(): number {
    return this.#standing.size;
  }

  /** Whether a name is taken. */
  has(hello: Hello): boolean {
    const name = nameOf(hello.id);
    return this.#standing.has(name) || this.#ended.has(name);
  }

  /** A new one stands. */
  add(hello: Hello, engine: BundleEngine): void {
    const { key, unitBytes } = hello;
    this.#standing.set(nameOf(hello.id), { key, unitBytes, engine, outcome: "stands", endedMs: 0 });
  }

  /** The one that a hello belongs to; a wrong key takes as long as a name that nobody has. */
  find(hello: Hello): Entry | undefined {
    const name = nameOf(hello.id);
    const entry = this.#standing.get(name) ?? this.#ended.get(name);
    const isSame = sameKey(entry?.key ?? NO_KEY, hello.key);
    if (entry === undefined || !isSame || entry.unitBytes !== hello.unitBytes) return undefined;
    const isPast = entry.outcome !== "stands" &&
      this.#clock.now() - entry.endedMs > REMEMBERED_MS;
    return isPast ? undefined : entry;
  }

  /** One has ended. */
  end(id: Uint8Array, outcome: "done" | "reset"): void {
    const name = nameOf(id);
    const entry = this.#standing.get(name);
    if (entry === undefined) return;
    this.#standing.delete(name);
    entry.outcome = outcome;
    entry.engine = undefined; // With all its memory.
    entry.endedMs = this.#clock.now();
    this.#ended.set(name, entry);
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= MOST_REMEMBERED) break;
      this.#ended.delete(oldest);
    }
  }
}

function nameOf(id: Uint8Array): string {
  return Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
