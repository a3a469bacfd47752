import type { Interval } from "./intervals.ts";
import type { Validator } from "./validators.ts";

/** What is known of a file before its bytes come. */
export interface OutputStart {
  /** The URL that the caller named. */
  readonly url: string;
  /** Bytes of the file; `undefined` when nobody knows. */
  readonly size: number | undefined;
  /** Bytes of a data unit. */
  readonly unitBytes: number;
  /** What later parts can be compared by; without it they cannot be fetched by another run. */
  readonly validator: Validator | undefined;
}

/** What an earlier run has left behind. */
export interface Leftover {
  /** What was known of the file then. */
  readonly size: number;
  readonly unitBytes: number;
  readonly validator: Validator;
  /** What was fetched. */
  readonly done: readonly Interval[];
}

/** What a transfer gives back. */
export interface Kept {
  readonly path?: string;
  readonly data?: Uint8Array<ArrayBuffer>;
}

/** Where the bytes of a transfer go. */
export interface Output {
  /** What can be gone on with. */
  readonly leftover: Leftover | undefined;
  /** No byte from here on may come yet. */
  readonly limit: number;
  /** Whether it can begin anew: nothing was given out that cannot be taken back. */
  readonly mayBeginAnew: boolean;
  /** Begin anew, with room for the size; `room` is called when the limit has moved. */
  begin(start: OutputStart, room: () => void): Promise<void>;
  /** Go on with the leftover. */
  resume(): Promise<void>;
  /** Write at a position. The bytes are the caller's again afterwards. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** These bytes are good; everything before the frontier is. */
  settled(start: number, end: number, frontier: number): Promise<void>;
  /** Wait until all of it was given out. */
  flush(size: number): Promise<void>;
  /** Read back what was written. Not for what is given out at once. */
  read?(into: Uint8Array, position: number): Promise<number>;
  /** All is well: keep it, with this length. */
  keep(size: number): Promise<Kept>;
  /** It failed: leave nothing behind, or only what another run can go on with. */
  drop(reason: unknown): Promise<void>;
}

/** A digest of the file that grows with it. */
export interface Hashing {
  /** Everything before this byte is good. */
  advance(frontier: number): void;
  /** The digest in hexadecimal, when all of it has been read. */
  finish(size: number): Promise<string>;
}
