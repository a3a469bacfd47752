import { type ByteScheduler, RateLimit } from "../../queue/mod.ts";
import type { FileRoot, ServedFile } from "../../files/mod.ts";
import { versionOf } from "../../files/file_version.ts";
import { type Clock, JackfieldError, type Socket } from "../../transport/mod.ts";
import { type DownloadKeeper, ManagedDownload } from "../download.ts";
import { Output } from "../output.ts";
import type { MovedDownload, MovedFile } from "./moved_download.ts";

/** What moves need of a desk. */
export interface DeskParts {
  /** Its downloads. */
  readonly downloads: Set<ManagedDownload>;
  /** Their turns. */
  readonly flows: ByteScheduler<ManagedDownload>;
  /** Its files. */
  readonly root: FileRoot;
  /** Keeps its downloads. */
  readonly keeper: DownloadKeeper;
  /** Times the wait for pieces. */
  readonly clock: Clock;
  /** A download that has no place waits for one. */
  waitInLine(download: ManagedDownload): void;
  /** A download is over before its end. */
  fail(download: ManagedDownload, error: unknown): void;
  /** One that stood still has another desk now, or none. */
  left(): void;
  /** One goes on elsewhere, or has broken while it stood still. */
  gaveUp(download: ManagedDownload, error: unknown): void;
}

/**
 * Lets downloads of a desk stand still, and takes up those that do, its own or another desk's.
 *
 * A download that stands still has no turn, no timer and no piece under way: `position` is the exact
 * count of what the kernel has taken. It is nobody's until a desk adopts it. What its keeper is asked
 * for meanwhile is done then.
 */
export class DeskMoves {
  #parts: DeskParts;
  /** Those that stand still. */
  #still = new Map<ManagedDownload, { cancelled?: { readonly reason: unknown } }>();
  #keeper: DownloadKeeper = {
    pause: (download) => void (download.paused = true),
    resume: (download) => void (download.paused = false),
    fail: (download, reason) => {
      const still = this.#still.get(download);
      if (still !== undefined) still.cancelled ??= { reason };
    },
    stalled: () => {},
  };

  /** Nothing stands still. */
  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** How many stand still and are not adopted yet. */
  get size(): number {
    return this.#still.size;
  }

  /**
   * Let all downloads stand still whose socket may move: at once, but for those of which a piece is
   * under way; when that is not over after `timeoutMs`, they go on as if nothing had been.
   */
  async stop(
    mayMove: (download: ManagedDownload) => boolean,
    timeoutMs: number,
  ): Promise<readonly ManagedDownload[]> {
    const { downloads, flows } = this.#parts;
    const wanted = [...downloads].filter(mayMove);
    const sending = wanted.filter(({ state }) => state === "sending");
    // No further piece; the flow stays, so that the one under way ends as ever.
    for (const download of sending) flows.pause(download.flow!);
    await this.#untilStill(sending.filter(({ isUnderWay }) => isUnderWay), timeoutMs);
    const left = wanted.filter((download) => downloads.has(download));
    // Those that wait first: a place that became free would be theirs.
    for (const download of left) if (download.state === "queued") this.#release(download);
    for (const download of left) {
      if (this.#still.has(download)) continue;
      if (!download.isUnderWay) this.#release(download);
      else if (!download.paused) flows.resume(download.flow!);
    }
    return left.filter((download) => this.#still.has(download));
  }

  /** Go on with one that stood still, on this socket. */
  adopt(download: ManagedDownload, socket: Socket, from: DeskMoves = this): void {
    const { downloads, flows, keeper } = this.#parts;
    const cancelled = from.#still.get(download)?.cancelled;
    download.socket = socket;
    download.keeper = keeper;
    downloads.add(download);
    if (from !== this) {
      download.isStarted = false; // Here, nobody has been told of it.
      download.way = "direct"; // Another engine may know a way.
    }
    from.#forget(download);
    const { client, priority, request: { maxBytesPerSecond } } = download;
    const rateLimit = maxBytesPerSecond === undefined
      ? undefined
      : new RateLimit(maxBytesPerSecond);
    try {
      download.flow = flows.add(download, { client, priority, rateLimit, isAdmitted: true });
    } catch (error) { // A hook of the user's.
      return this.#parts.fail(download, error);
    }
    if (download.paused) flows.pause(download.flow);
    if (download.state === "queued") this.#parts.waitInLine(download);
    if (cancelled !== undefined) this.#parts.fail(download, cancelled.reason);
  }

  /** Those that stand still are to be ended, if they come back. */
  abort(reason: unknown): void {
    for (const still of this.#still.values()) still.cancelled ??= { reason };
  }

  /** One that stood still goes on elsewhere, or has broken: who took it is told why. */
  giveUp(download: ManagedDownload, error: unknown): void {
    download.state = "ended";
    download.giveBack();
    this.#parts.gaveUp(download, error);
    this.#forget(download);
    download.refuse(error);
  }

  /**
   * A download of another process, which can go on here: its file is open and what it was.
   *
   * @throws {JackfieldError} `FILE_CHANGED`, or `FILE_FAILED`.
   */
  async reopen({ answer }: MovedDownload): Promise<ServedFile | undefined> {
    return answer?.file === undefined ? undefined : await this.#open(answer.file);
  }

  /** That download, on its socket. */
  restore(moved: MovedDownload, held: ServedFile | undefined, socket: Socket): ManagedDownload {
    const { request, client, priority, paused, keepAlive, answer } = moved;
    const { keeper } = this.#parts;
    const download = new ManagedDownload(socket, request, client, priority, keeper);
    download.paused = paused;
    download.keepAlive = keepAlive;
    if (answer === undefined) return download;
    download.status = answer.status;
    download.position = answer.position;
    download.aheadBytes = answer.aheadBytes;
    download.output = Output.resume(answer.output, held);
    download.held = held;
    return download;
  }

  #release(download: ManagedDownload): void {
    const { downloads, flows } = this.#parts;
    download.state = "queued";
    download.keeper = this.#keeper;
    download.socket.watch(undefined);
    this.#still.set(download, {});
    downloads.delete(download);
    flows.remove(download.flow!);
  }

  #forget(download: ManagedDownload): void {
    this.#still.delete(download);
    this.#parts.left();
  }

  #untilStill(busy: readonly ManagedDownload[], timeoutMs: number): Promise<void> {
    if (busy.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      let missing = busy.length;
      const over = (): void => {
        cancel();
        for (const download of busy) download.onStill = undefined;
        resolve();
      };
      const cancel = this.#parts.clock.schedule(timeoutMs, over);
      for (const download of busy) {
        download.onStill = () => {
          download.onStill = undefined;
          if (--missing === 0) over();
        };
      }
    });
  }

  async #open({ path, version }: MovedFile): Promise<ServedFile> {
    const found = await this.#parts.root.open(path);
    if (found.kind === "file" && versionOf(found.file.facts) === version) return found.file;
    if (found.kind === "file") found.file.release();
    const message = `Cannot go on with "${path}": it is another file here`;
    throw new JackfieldError("FILE_CHANGED", message, { operation: "open" });
  }
}
