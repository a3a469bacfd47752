import type { Wire } from "./wire.ts";

/** What the two ends say to each other besides what they carry. */
const PROBE = "probe";
const PROBED = "probed";
const DONE = "done";
type Word = typeof PROBE | typeof PROBED | typeof DONE;
type Packed = readonly ["word", Word] | readonly ["frame", unknown];

interface Waiting<Handle> {
  readonly frame: unknown;
  readonly handle: Handle | undefined;
  readonly told: ((arrives: boolean) => void) | undefined;
}

/**
 * Keeps a handle from being sent behind a frame without one that the other end has not read yet.
 *
 * The kernel gives such a frame and the one with the handle to one recvmsg(2), and Deno 2.9.6 takes
 * the handle for the first frame's then: both are lost, and so is everything behind them. Frames with
 * handles in a row are read one by one. So an end that wants to send a handle, and has sent a frame
 * without one before, first asks whether everything has been read: `probe`, `probed`, the handles in a
 * row, `done`. Who has answered sends no handle until `done`, because each handle makes the runtime at
 * the other end send an acknowledgement of its own, which is a frame too. When both ask at once, the
 * one that leads is answered first.
 */
export class HandleTurns<Handle> implements Wire<Handle> {
  #wire: Wire<Handle>;
  #leads: boolean;
  #receive: ((frame: unknown, handle: Handle | undefined) => void) | undefined;
  #waiting: Waiting<Handle>[] = [];
  /** Whether the other end has read everything that was sent from here. */
  #clean = true;
  #probing = false;
  /** Whether something was sent behind the probe. */
  #dirtied = false;
  /** Whether the other end has its turn: it was told that everything of it was read. */
  #held = false;
  /** Whether the other end was asked to hold, and waits for `done`. */
  #holds = false;
  #owesAnswer = false;

  /** One of the two ends leads. */
  constructor(wire: Wire<Handle>, leads: boolean) {
    this.#wire = wire;
    this.#leads = leads;
  }

  write(frame: unknown, handle?: Handle, told?: (arrives: boolean) => void): void {
    this.#waiting.push({ frame, handle, told });
    this.#pump();
  }

  listen(receive: (frame: unknown, handle: Handle | undefined) => void): void {
    this.#receive = receive;
    this.#wire.listen((packed, handle) => this.#arrived(packed as Packed, handle));
  }

  #arrived([kind, content]: Packed, handle: Handle | undefined): void {
    if (handle !== undefined) this.#soil(); // The runtime has acknowledged it.
    if (kind === "frame") return this.#receive!(content, handle);
    switch (content) {
      case PROBE:
        // Behind our own probe nothing may come, unless the other end leads.
        if (this.#probing && this.#leads) this.#owesAnswer = true;
        else this.#answer();
        return;
      case PROBED:
        this.#probing = false;
        this.#clean = !this.#dirtied;
        return this.#pump();
      case DONE:
        this.#held = false;
        return this.#pump();
    }
  }

  #pump(): void {
    let next = this.#waiting[0];
    while (next !== undefined && !this.#probing) {
      const { frame, handle, told } = next;
      if (handle === undefined) {
        this.#finish();
        this.#soil();
      } else if (this.#held) {
        return;
      } else if (!this.#clean) {
        return this.#probe();
      }
      this.#waiting.shift();
      this.#wire.write(["frame", frame] satisfies Packed, handle, told);
      next = this.#waiting[0];
    }
    if (!this.#probing) this.#finish();
  }

  #probe(): void {
    this.#probing = this.#holds = true;
    this.#dirtied = false;
    this.#say(PROBE);
  }

  /** The handles in a row are sent. */
  #finish(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#say(DONE);
    if (this.#owesAnswer) this.#answer();
  }

  #answer(): void {
    this.#owesAnswer = false;
    this.#held = true;
    if (this.#probing) this.#dirtied = true;
    this.#say(PROBED);
  }

  #say(word: Word): void {
    this.#clean = false;
    this.#wire.write(["word", word] satisfies Packed);
  }

  #soil(): void {
    this.#clean = false;
    if (this.#probing) this.#dirtied = true;
  }
}
