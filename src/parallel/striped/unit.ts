import { HEADER_BYTES } from "./frame.ts";

/** Memory for units that are sent: one long one, or short ones one after the other. */
export interface Slab {
  /** All of it. */
  readonly bytes: Uint8Array;
  /** The same, for headers. */
  readonly view: DataView;
  /** Where it is free. */
  used: number;
  /** How many units in it are needed still; one more while it is being filled. */
  users: number;
}

/** A piece of the stream that is sent, and sent again, as it is. */
export interface Unit {
  /** Where in the stream it begins. */
  readonly offset: number;
  /** Its bytes. */
  readonly length: number;
  /** Whether the stream ends with it. */
  isEnd: boolean;
  /** Where its bytes are; before them there is room for a header. Nothing for the bare end. */
  readonly slab: Slab | undefined;
  /** Where in the slab the header begins. */
  readonly at: number;
  /** How many connections have it on their way. */
  carriers: number;
  /** How many writes still need its bytes. */
  writes: number;
  /** Whether the far end has it, by what it has said about one connection. */
  hasArrived: boolean;
  /** Whether the far end has it and everything before it. */
  isAcknowledged: boolean;
}

/** New memory, or what a unit has left behind: the last that was given back is still in the cache. */
export class Slabs {
  #unitBytes: number;
  #spare: Slab[] = [];

  /** Each holds one unit of this length. */
  constructor(unitBytes: number) {
    this.#unitBytes = unitBytes;
  }

  /** An empty one, with one user. */
  take(): Slab {
    const slab = this.#spare.pop() ?? this.#make();
    slab.used = 0;
    slab.users = 1;
    return slab;
  }

  /** One user needs it no more. */
  release(slab: Slab): void {
    if (--slab.users === 0) this.#spare.push(slab);
  }

  /** Let go of what nobody uses. */
  trim(): void {
    this.#spare = [];
  }

  #make(): Slab {
    const bytes = new Uint8Array(HEADER_BYTES + this.#unitBytes);
    return { bytes, view: new DataView(bytes.buffer), used: 0, users: 0 };
  }
}
