import type { Socket } from "../transport/mod.ts";
import { unpackError } from "../handoff/packed_error.ts";
import type { DeskWord, DownloadNews, TakeReturn } from "./desk_words.ts";
import type { DownloadStats } from "./download_desk.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import { Notices } from "./notices.ts";
import type { RemoteDownload } from "./remote_download.ts";

/** The downloads of a front that are served elsewhere: what is known of them, and who is told. */
export class RemoteBook {
  #notices: Notices;
  #takes = new Map<number, RemoteDownload>();
  #finished = 0;
  #refused = 0;
  #bytes = 0;
  #left: () => void;

  /** `left` is told whenever a download is over and done with. */
  constructor(options: DownloadManagerOptions, left: () => void) {
    this.#notices = new Notices(options);
    this.#left = left;
  }

  /** How many there are, with those whose end is known and whose socket is still on its way. */
  get size(): number {
    return this.#takes.size;
  }

  /** All of them. */
  all(): RemoteDownload[] {
    return [...this.#takes.values()];
  }

  /** One of them, unless it is over and done with. */
  get(take: number): RemoteDownload | undefined {
    return this.#takes.get(take);
  }

  /** See `DownloadDesk.stats`. */
  stats(): Omit<DownloadStats, "engine"> {
    let [active, queued] = [0, 0];
    for (const { state } of this.#takes.values()) {
      if (state === "queued") queued++;
      else if (state !== "ended") active++;
    }
    return {
      active,
      queued,
      finished: this.#finished,
      refused: this.#refused,
      bytes: this.#bytes,
    };
  }

  /** One has come. */
  add(download: RemoteDownload): void {
    this.#takes.set(download.id, download);
  }

  /** One is over and done with, or somebody else's. */
  leave(download: RemoteDownload): void {
    if (!this.#takes.delete(download.id)) return;
    download.line?.letGo();
    download.line = undefined;
    this.#left();
  }

  /** One is answered without a place. */
  refused(): void {
    this.#refused++;
  }

  /** The desk says how far one has come. */
  news({ take, event, status, totalBytes, bytes, error }: DownloadNews): void {
    const download = this.#takes.get(take);
    if (download === undefined || download.state === "ended") return;
    download.hasPlace = true;
    download.status = status;
    download.totalBytes = totalBytes;
    if (event === "queued") return this.#notices.tell("queued", download);
    if (event === "started") {
      download.state = "preparing";
      return this.#notices.tell("started", download);
    }
    download.state = "sending";
    const more = bytes - download.bytes;
    download.bytes = bytes;
    if (more > 0) {
      this.#bytes += more;
      this.#notices.tell("progress", download, more);
    }
    if (event !== "ended") return;
    this.#end(download, error === undefined ? undefined : unpackError(error));
  }

  /** The desk says that one is over, and that its connection is closed, or broken. */
  over(word: DeskWord & { readonly kind: "over" | "failed" }): void {
    const download = this.#takes.get(word.take);
    if (download === undefined) return;
    if (!download.hasPlace) this.#refused++;
    if (word.kind === "failed") download.refuse(download.error ?? unpackError(word.error));
    else download.settle({ status: word.status, bytes: word.bytes, socket: undefined });
    download.state = "ended";
    this.leave(download);
  }

  /** One is over, and its socket has come back. */
  returned(socket: Socket, { take, status, bytes }: TakeReturn): void {
    const download = this.#takes.get(take);
    if (download === undefined || download.isSettled) return socket.abort(); // It was cancelled.
    if (!download.hasPlace) this.#refused++;
    download.settle({ status, bytes, socket });
    download.state = "ended";
    this.leave(download);
  }

  /** End one here, whatever its desk thinks of it. */
  fail(download: RemoteDownload, error: unknown): void {
    if (download.state !== "ended") {
      this.#end(download, error);
      return download.refuse(error);
    }
    if (download.isSettled) return;
    // Its end was told, and its socket was on its way back.
    const { status = 0, bytes } = download;
    if (download.error === undefined) download.settle({ status, bytes, socket: undefined });
    else download.refuse(download.error);
  }

  /** Tell of an error. */
  report(error: unknown): void {
    this.#notices.report(error);
  }

  #end(download: RemoteDownload, error: unknown): void {
    download.state = "ended";
    download.error = error;
    this.#finished++;
    if (error !== undefined) this.report(error);
    this.#notices.tell("ended", download, error);
  }
}
