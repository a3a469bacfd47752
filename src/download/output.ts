import type { ServedFile } from "../files/mod.ts";
import type { BodyPart } from "../http/mod.ts";
import type { OpenFile } from "../transport/mod.ts";

/** Where the bytes of a file come from. */
type ByteFile = Pick<ServedFile, "read" | "isUnchanged" | "opened">;

/** Bytes in memory, or, without them, of the file. */
export interface Piece {
  /** Behind its last byte, counted from the first byte of the head. */
  readonly end: number;
  readonly bytes: Uint8Array | undefined;
  /** Where in the file it begins. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly length: number;
}

/** What is left of an output, as plain data; positions are what they were. */
export interface OutputRest {
  /** See {@linkcode Output}. */
  readonly headBytes: number;
  /** In their order. */
  readonly pieces: readonly Piece[];
}

/** What is left of a part of a file. */
export interface FilePart {
  /** How many bytes come before it, */
  readonly gap: number;
  /** and which ones they are, where that is one text such as a head. */
  readonly before: Uint8Array | undefined;
  readonly file: OpenFile;
  /** Where in the file it goes on. */
  readonly offset: number;
  readonly length: number;
}

/** Everything that an answer sends, from the first byte of its head: read it in pieces, forwards. */
export class Output {
  #headBytes: number;
  #pieces: Piece[] = [];
  #file: ByteFile | undefined;

  /** A head, and a body of text and parts of a file. */
  constructor(head: Uint8Array, parts?: Iterable<BodyPart>, file?: ByteFile) {
    this.#headBytes = head.byteLength;
    this.#file = file;
    this.#add(head, 0, head.byteLength);
    for (const { head, offset, length } of parts ?? []) {
      this.#add(head, 0, head.byteLength);
      this.#add(undefined, offset, length);
    }
    this.#pieces = this.#pieces.slice(); // V8 has made room for 17, and many wait for long.
  }

  /** What is left of an output, of the same file, opened anew. */
  static resume({ headBytes, pieces }: OutputRest, file: ByteFile | undefined): Output {
    const output = new Output(new Uint8Array(0), undefined, file);
    output.#headBytes = headBytes;
    output.#pieces = [...pieces];
    return output;
  }

  /** What is left of it from a position on. */
  rest(position: number): OutputRest {
    return { headBytes: this.headBytes, pieces: this.#pieces.slice(this.#indexAt(position)) };
  }

  /** How many bytes the head has. */
  get headBytes(): number {
    return this.#headBytes;
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#pieces.at(-1)!.end;
  }

  /** All of it, where nothing comes from a file. */
  whole(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.length);
    for (const { bytes, end, length } of this.#pieces) all.set(bytes!, end - length);
    return all;
  }

  /**
   * Fill `into` from a position on, with one read of the file at most; resolves to the count, which
   * is not 0 unless the file has become shorter.
   */
  async read(into: Uint8Array, position: number): Promise<number> {
    // Nobody goes back: what was sent of it need not be kept for as long as a slow reader takes.
    while (this.#pieces.length > 1 && this.#pieces[0]!.end <= position) this.#pieces.shift();
    let count = 0;
    let asked = false;
    for (let index = this.#indexAt(position); index < this.#pieces.length; index++) {
      const piece = this.#pieces[index]!;
      const from = position + count - (piece.end - piece.length);
      const room = into.subarray(count, count + piece.length - from);
      if (room.byteLength === 0) break;
      if (piece.bytes !== undefined) {
        room.set(piece.bytes.subarray(from, from + room.byteLength));
        count += room.byteLength;
      } else {
        if (asked) break;
        asked = true;
        const got = await this.#file!.read(room, piece.offset + from);
        count += got;
        if (got < room.byteLength) break;
      }
    }
    return count;
  }

  /** The part of the file that comes at a position, or next after it; `undefined` when none does. */
  fileFrom(position: number): FilePart | undefined {
    let before: Uint8Array | undefined;
    for (let index = this.#indexAt(position); index < this.#pieces.length; index++) {
      const { bytes, end, offset, length } = this.#pieces[index]!;
      const begin = end - length;
      const done = Math.max(0, position - begin);
      if (bytes !== undefined) {
        before = bytes.subarray(done);
        continue;
      }
      const gap = Math.max(0, begin - position);
      if (before?.byteLength !== gap) before = undefined;
      const file = this.#file!.opened;
      return { gap, before, file, offset: offset + done, length: length - done };
    }
    return undefined;
  }

  /** Whether the file is still what it was; without one, yes. */
  isUnchanged(): Promise<boolean> {
    return this.#file === undefined ? Promise.resolve(true) : this.#file.isUnchanged();
  }

  #add(bytes: Uint8Array | undefined, offset: number, length: number): void {
    if (length === 0) return;
    const end = (this.#pieces.at(-1)?.end ?? 0) + length;
    this.#pieces.push({ end, bytes, offset, length });
  }

  /** The piece that has this byte; most answers have two. */
  #indexAt(position: number): number {
    let index = 0;
    while (index < this.#pieces.length && this.#pieces[index]!.end <= position) index++;
    return index;
  }
}
