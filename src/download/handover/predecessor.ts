import { packError } from "../../handoff/packed_error.ts";
import {
  type Host,
  JackfieldError,
  type Listener,
  type ParkedConnection,
  type SocketAddress,
  type SuccessionLink,
} from "../../transport/mod.ts";
import { type MovedConnection, type NewWord, type OldWord, PROTOCOL_VERSION } from "./words.ts";

/** A connection that has come, silent, and that nobody owns here yet. */
export interface HeldConnection {
  /** It is this process's own: go on with it. Never rejects. */
  own(): void;
  /** The old process goes on with it: give everything back. */
  drop(): void;
}

/** Makes something of what comes; rejects when it cannot, and has dropped the copy then. */
export type HoldConnection = (
  moved: MovedConnection,
  parked: ParkedConnection,
) => Promise<HeldConnection>;

/** What is taken over, besides connections. */
export interface Inheritance {
  /** It accepts already; or where to listen beside the old one. */
  readonly listener: Listener | SocketAddress;
  /** Whether this process accepts for the old one, and not in its place. */
  readonly asGeneration: boolean;
}

/** A process takes over once. */
const claimed = new WeakSet<SuccessionLink>();

/** The process from which this one is to take over, for the first one who asks. */
export function claimPredecessor({ predecessor }: Host): SuccessionLink | undefined {
  if (predecessor === undefined || claimed.has(predecessor)) return undefined;
  claimed.add(predecessor);
  return predecessor;
}

/** Say to the old process that the program in this one cannot serve; resolves when that is on its way. */
export function refuseInheritance(link: SuccessionLink, error: unknown): Promise<void> {
  const word: NewWord = { kind: "failed", error: packError(error) };
  return new Promise((resolve) => {
    link.post(word, () => resolve());
    void link.ended.then(() => resolve()); // Nobody is there to hear it.
  });
}

/** The process from which this one takes over, as this one sees it. */
export class Predecessor {
  #link: SuccessionLink;
  #hold: HoldConnection;
  /** The batch that is coming. */
  #batch: (readonly [id: number, held: Promise<HeldConnection | undefined>])[] = [];
  /** What is this process's own, and waits for the listener. */
  #owned: HeldConnection[] | undefined = [];
  #listener: PromiseWithResolvers<Inheritance> = Promise.withResolvers();
  #unasked: ((word: OldWord) => void) | undefined;
  /** Whether this process accepts, or is about to, whatever becomes of the old one. */
  #hasListener = false;
  #isOver = false;

  /** Nothing has been said. */
  constructor(link: SuccessionLink, hold: HoldConnection) {
    this.#link = link;
    this.#hold = hold;
  }

  /**
   * Say that this process could serve; resolves to what is taken over.
   *
   * @throws {JackfieldError} `HANDOVER_REFUSED` when the old process speaks another version,
   * `HANDOVER_FAILED` when it has ended: nothing was touched then.
   */
  begin(): Promise<Inheritance> {
    this.#link.receive({
      message: (word, connection) => this.#heard(word as OldWord, connection),
      listener: (listener, word) => {
        const { asGeneration = false } = word as OldWord & { readonly kind: "listener" };
        this.#hasListener = true;
        this.#listener.resolve({ listener, asGeneration });
      },
    });
    void this.#link.ended.then(() => this.#ended(lostError()));
    this.#say({ kind: "ready", version: PROTOCOL_VERSION });
    return this.#listener.promise;
  }

  /** This process accepts: go on with what has come, and with what comes at once from now on. */
  listening(): void {
    this.#say({ kind: "listening" });
    const owned = this.#owned ?? [];
    this.#owned = undefined;
    for (const held of owned) held.own();
  }

  /** How many connections have come that wait for the listener. */
  get heldCount(): number {
    return this.#owned?.length ?? 0;
  }

  /** Say who is told what the old process wants of its generation. */
  follow(unasked: (word: OldWord) => void): void {
    this.#unasked = unasked;
  }

  /** Tell the old process how its generation is. */
  tell(word: NewWord): void {
    this.#say(word);
  }

  /** The old process is done with. */
  leave(): void {
    this.#link.leave();
  }

  #heard(word: OldWord, connection: ParkedConnection | undefined): void {
    switch (word.kind) {
      case "refused":
        return this.#ended(refusedError(word.version));
      case "connection": {
        if (connection === undefined) return; // It has got lost on its way: it goes on there.
        // What cannot be gone on with here goes on there.
        const held = this.#hold(word.moved, connection).catch(() => undefined);
        return void this.#batch.push([word.id, held]);
      }
      case "received?":
        return this.#say({ kind: "received" });
      case "batch":
        return void this.#take(this.#batch.splice(0));
      case "listener":
        return; // It comes by another way.
      case "listen beside":
        return this.#listener.resolve({ listener: word.address, asGeneration: false });
      case "leave":
      case "close":
        return this.#unasked?.(word);
    }
  }

  async #take(
    batch: readonly (readonly [id: number, held: Promise<HeldConnection | undefined>])[],
  ): Promise<void> {
    const all: HeldConnection[] = [];
    const ids: number[] = [];
    for (const [id, holding] of batch) {
      const held = await holding;
      if (held === undefined) continue;
      ids.push(id);
      all.push(held);
    }
    // Nothing may be touched before the system has this word: who reads to its end knows who owns them.
    this.#link.post({ kind: "taken", ids } satisfies NewWord, (arrives) => {
      for (const held of all) {
        if (!arrives || (this.#isOver && !this.#hasListener)) held.drop();
        else if (this.#owned === undefined) held.own();
        else this.#owned.push(held);
      }
    });
  }

  #ended(error: unknown): void {
    this.#isOver = true;
    for (const [, holding] of this.#batch.splice(0)) void holding.then((held) => held?.drop());
    if (this.#hasListener) return; // What is owned goes on.
    for (const held of this.#owned?.splice(0) ?? []) held.drop();
    this.#listener.reject(error);
  }

  #say(word: NewWord): void {
    this.#link.post(word);
  }
}

function refusedError(version: number): JackfieldError {
  const message = `Cannot take over: the old process speaks version ${version} of the protocol, ` +
    `expected ${PROTOCOL_VERSION}`;
  return new JackfieldError("HANDOVER_REFUSED", message, { operation: "take over" });
}

function lostError(): JackfieldError {
  const message = "Cannot take over: the old process has ended";
  return new JackfieldError("HANDOVER_FAILED", message, { operation: "take over" });
}
