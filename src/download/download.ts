import type { ScheduledFlow } from "../queue/mod.ts";
import { Deadline } from "../queue/mod.ts";
import type { ServedFile } from "../files/mod.ts";
import type { Socket } from "../transport/mod.ts";
import type { DownloadRequest, DownloadResult } from "./download_request.ts";
import type { Output } from "./output.ts";

/** What becomes of a download. */
export type DownloadState =
  /** It waits for a place. */
  | "queued"
  /** Its file is looked for. */
  | "preparing"
  /** Its answer is being sent. */
  | "sending"
  /** It is over. */
  | "ended";

/** A download that a manager has taken. */
export interface Download {
  /** What was asked for. */
  readonly request: DownloadRequest;
  /** On whose account it is sent. */
  readonly client: string;
  /** From -8 to 8; the higher, the earlier among those of the same client. */
  readonly priority: number;
  /** How far it has come. */
  readonly state: DownloadState;
  /** Whether it was paused. */
  readonly paused: boolean;
  /** The status of the answer; `undefined` until it is known. */
  readonly status: number | undefined;
  /** How many bytes of the body the kernel has taken. */
  readonly bytes: number;
  /** How many bytes the body has; `undefined` until it is known. */
  readonly totalBytes: number | undefined;
  /** Send nothing until it is resumed; its place, if it has one, stays its own. */
  pause(): void;
  /** Go on; one that waits for a place waits behind the others. */
  resume(): void;
  /** End it, and the connection with it. */
  cancel(reason?: unknown): void;
}

/** What a download asks of its manager. */
export interface DownloadKeeper {
  pause(download: ManagedDownload): void;
  resume(download: ManagedDownload): void;
  /** End it with an error, and abort its connection. */
  fail(download: ManagedDownload, error: unknown): void;
  /** Its client has taken nothing for too long. */
  stalled(download: ManagedDownload): void;
}

const NO_FIELDS: ReadonlyMap<string, string> = new Map();

/** The inside of a {@linkcode Download}. As a deadline it is the time that a client may stall. */
export class ManagedDownload extends Deadline implements Download {
  #request: DownloadRequest;
  /** The names and values of the request's fields while they are not in a map. */
  #fields: readonly string[] | undefined;
  readonly client: string;
  readonly priority: number;
  socket: Socket;
  state: DownloadState = "queued";
  paused = false;
  status: number | undefined = undefined;
  /** What is sent, once it is known, and how far it was sent. */
  output: Output | undefined = undefined;
  position = 0;
  /** Sent without a turn; the next turns pay for it. */
  aheadBytes = 0;
  /** Whether its client was slow to take the last bytes, and whether it has taken a probe since. */
  isSlow = false;
  hasRoom = false;
  /**
   * Whether the sender of an engine moves its file: yes, not the next piece, or never, because its
   * socket or its file cannot go that way.
   */
  way: "direct" | "copy once" | "copy" = "direct";
  /** Whether what comes next has to be fetched from the disk. */
  isCold = false;
  /** Whether the connection goes on after the answer. */
  keepAlive: boolean;
  /** What to give back at the end. */
  held: ServedFile | undefined = undefined;
  flow: ScheduledFlow<ManagedDownload> | undefined = undefined;
  /** How often its file was found anew. */
  attempts = 0;
  /** How often it was prepared: what is over by now does not count any more. */
  preparations = 0;
  /** Whether a piece of it is on its way from its file to its socket. */
  isUnderWay = false;
  /** Told when it no longer is. */
  onStill: (() => void) | undefined = undefined;
  /** Whether it has had a place. */
  isStarted = false;
  keeper: DownloadKeeper;
  #result: PromiseWithResolvers<DownloadResult> = Promise.withResolvers();

  /** It has no place yet. */
  constructor(
    socket: Socket,
    request: DownloadRequest,
    client: string,
    priority: number,
    keeper: DownloadKeeper,
  ) {
    super();
    this.socket = socket;
    this.#request = request;
    this.client = client;
    this.priority = priority;
    this.keepAlive = request.keepAlive;
    this.keeper = keeper;
  }

  get request(): DownloadRequest {
    const list = this.#fields;
    if (list !== undefined) {
      const fields = new Map<string, string>();
      for (let at = 0; at < list.length; at += 2) fields.set(list[at]!, list[at + 1]!);
      this.#request = { ...this.#request, fields };
      this.#fields = undefined;
    }
    return this.#request;
  }

  /**
   * It may wait for long, and nobody outside has seen its request: a map of a few fields takes 300 to
   * 500 bytes, a list a quarter of that. Who looks at the request finds it as it was.
   */
  shrink(): void {
    this.#fields ??= [...this.#request.fields].flat();
    if (this.#request.fields !== NO_FIELDS) this.#request = { ...this.#request, fields: NO_FIELDS };
  }

  get result(): Promise<DownloadResult> {
    return this.#result.promise;
  }

  get bytes(): number {
    const { output, position } = this;
    return output === undefined ? 0 : Math.max(0, position - output.headBytes);
  }

  get totalBytes(): number | undefined {
    const { output } = this;
    return output === undefined ? undefined : output.length - output.headBytes;
  }

  pause(): void {
    this.keeper.pause(this);
  }

  resume(): void {
    this.keeper.resume(this);
  }

  cancel(reason?: unknown): void {
    this.keeper.fail(this, reason);
  }

  expire(): void {
    this.keeper.stalled(this);
  }

  /** Give back what it holds. */
  giveBack(): void {
    const { held } = this;
    this.held = undefined;
    held?.release();
  }

  /** The piece that was under way has ended, however it did. */
  standStill(): void {
    this.isUnderWay = false;
    this.onStill?.();
  }

  /** It is over: tell who waits. */
  settle(result: DownloadResult): void {
    this.#result.resolve(result);
  }

  /** It is over before its end: tell who waits. */
  refuse(error: unknown): void {
    this.#result.reject(error);
  }
}
