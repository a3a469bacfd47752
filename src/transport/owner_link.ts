import type { JackfieldError } from "./errors.ts";
import type { Listener } from "./listener.ts";
import type { ParkedConnection } from "./socket_driver.ts";

/** How a thread or a process has ended. */
export interface OwnerEnd {
  /**
   * `terminated` by `terminate`, `exited` by its own will, or `failed`: it could not be started, or an
   * error in it was caught by nobody.
   */
  readonly reason: "terminated" | "exited" | "failed";
  /** Its exit code, where the runtime tells. */
  readonly exitCode?: number;
  /** The signal that ended a process. */
  readonly signal?: string;
  /** Why it failed. */
  readonly error?: unknown;
}

/** Who is given what the other end of a link sends. */
export interface LinkReceiver {
  /** A message, and the copy of a connection that came along with it. */
  message(message: unknown, connection?: ParkedConnection): void;
  /** A copy of a listener that came with a message; without this it is closed. */
  listener?(listener: Listener, message: unknown): void;
}

/** What is known of a copy of a connection that was sent and whose arrival nobody has confirmed. */
export type PassageState =
  /** The other end never took it, and never will: the sender's copy is the only one. */
  | "returned"
  /** The other end has taken it. */
  | "taken"
  /** Nobody can tell: the other end may take it at any moment. */
  | "unknown";

/** The copy of a connection on its way to the other end. */
export interface Passage {
  /** Take it back, if that is still possible; the other end of the link may have ended. */
  withdraw(): PassageState;
}

/** Sends copies of connections over a link. */
export interface ConnectionCarrier {
  /** Why a connection of this kind cannot travel; `undefined` when it can. */
  refusal(connection: unknown): string | undefined;
  /** Resolves when it can send; left out when it can. */
  readonly ready?: Promise<void>;
  /** Send a copy along with a message. The parked connection stays the sender's. */
  send(message: unknown, parked: ParkedConnection): Passage;
}

/**
 * The way to another owner of sockets: a thread or a process.
 *
 * Messages are structured clones and keep their order; connections keep theirs among the messages.
 */
export interface OwnerLink {
  /** What stands at the other end. */
  readonly kind: "thread" | "process";
  /** Sends connections; left out where they need {@linkcode Descriptors} to travel. */
  readonly carrier?: ConnectionCarrier;
  /**
   * Send a message. `told`, which may be called within the call, says whether it arrives whatever
   * happens to this end from then on; after the end of the link it does not. What stands in
   * `transfer` moves to another thread instead of being copied, and is copied to a process.
   */
  post(
    message: unknown,
    told?: (arrives: boolean) => void,
    transfer?: readonly ArrayBuffer[],
  ): void;
  /**
   * Send a copy of a listener along with a message; the listener here goes on. Left out where none
   * can travel.
   *
   * @throws {JackfieldError} What {@linkcode copyListener} throws.
   */
  sendListener?(listener: Listener, message: unknown): Promise<void>;
  /** Say who receives; what came before has waited. To be called once. */
  receive(receiver: LinkReceiver): void;
  /**
   * Call `act` when what has come in this turn of the event loop has been received, so that one
   * message can answer all of it. Left out where messages come one by one.
   */
  atTurnEnd?(act: () => void): void;
  /** Resolves when nothing comes any more, after all that was sent has been received. */
  readonly ended: Promise<OwnerEnd>;
}

/** A thread or a process that was started here. */
export interface StartedOwner extends OwnerLink {
  /** End it at once; the system closes what it holds. Resolves when it has ended. */
  terminate(): Promise<OwnerEnd>;
  /** Keep the program running as long as it runs. That is how it begins. */
  ref(): void;
  /** Let the program end while it runs. A thread in Deno always keeps the program running. */
  unref(): void;
  /**
   * Whether what it holds may stay open after its end: Deno does not stop a thread that is in the
   * middle of a computation, and its descriptors stay open as long as that goes on.
   */
  readonly mayHoldOn?: boolean;
}

/** Options of {@linkcode Owners.start}. */
export interface StartOptions {
  /** Another copy of the script, for programs that were bundled into files of their own. */
  readonly url?: string | URL;
}

/** Starts scripts of this package, each in a thread or a process of its own. */
export interface Owners {
  /**
   * Start a script by its name, which is that of a file in `src/roots/` without extension.
   *
   * What goes wrong while it starts is told by `ended`.
   *
   * @throws {JackfieldError} What `check` returns.
   */
  start(script: string, options?: StartOptions): StartedOwner;
  /** Why a script cannot be started here: `UNSUPPORTED` or `PERMISSION_DENIED`. It never asks. */
  check(script: string, options?: StartOptions): JackfieldError | undefined;
}

/** The way between a process and the one that takes over from it. */
export interface SuccessionLink extends OwnerLink {
  /** The process at the other end. */
  readonly pid: number;
  /** End the link, and nothing else: from then on both processes live as long as they like. */
  leave(): void;
}

/** A process that was started to take over from this one. */
export interface StartedSuccessor extends SuccessionLink {
  /** End it at once. Resolves when it has ended. */
  terminate(): Promise<OwnerEnd>;
}

/** Options of {@linkcode Successors.start}. */
export interface SuccessorOptions {
  /**
   * What it runs.
   *
   * @default {the program's own main script}
   */
  readonly script?: string | URL;
  /**
   * The arguments that it is given.
   *
   * @default {those of this process}
   */
  readonly args?: readonly string[];
}

/** Starts the program once more, to take over from this process. */
export interface Successors {
  /**
   * Start it. What goes wrong while it starts is told by `ended`.
   *
   * @throws {JackfieldError} What `check` returns.
   */
  start(options?: SuccessorOptions): StartedSuccessor;
  /** Why none can be started here: `UNSUPPORTED` or `PERMISSION_DENIED`. It never asks. */
  check(options?: SuccessorOptions): JackfieldError | undefined;
}

/** A duplicate of a connection as it is posted to another thread; only its maker knows what it is. */
export type ConnectionToken = number;

/** Makes duplicates of connections, which any thread of the process can take up. */
export interface Descriptors {
  /** Why a connection of this kind cannot be duplicated; `undefined` when it can. */
  refusal(connection: unknown): string | undefined;
  /**
   * Duplicate a connection. The token has to be adopted or discarded once.
   *
   * @throws {JackfieldError} `SOCKET_CLOSED` or `SOCKET_FAILED`, with the system's code.
   */
  duplicate(connection: unknown): ConnectionToken;
  /** Take up a duplicate; it does not block from then on. */
  adopt(token: ConnectionToken): ParkedConnection;
  /** Close a duplicate that nobody has adopted. */
  discard(token: ConnectionToken): void;
}
