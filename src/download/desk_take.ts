import type { Download } from "./download.ts";
import type { DownloadRequest } from "./download_request.ts";
import type { DownloadNews, TakeOrder, Terms } from "./desk_words.ts";
import { packError, unpackError } from "../handoff/packed_error.ts";

/** A download of another thread or process, as its desk sees it. */
export class DeskTake<Front> {
  /** Which one it is for its front. */
  readonly id: number;
  /** Where it came from. */
  readonly front: Front;
  readonly request: DownloadRequest;
  /** What the desk makes of it; `undefined` as long as it has no place, not even in the queue. */
  download: Download | undefined;
  /** Whether its front was told that it is being sent, and up to which byte. */
  toldBytes: number | undefined;
  /** What the functions of its front say about it; `undefined` when one of them threw. */
  readonly terms: Terms | undefined;
  /** What one of them threw. */
  readonly failure: unknown;

  /** It has just come. */
  constructor(front: Front, { take, request, terms }: TakeOrder) {
    this.id = take;
    this.front = front;
    this.request = request;
    if ("kind" in terms) this.failure = unpackError(terms);
    else this.terms = terms;
  }

  /** How far it has come. */
  news(event: DownloadNews["event"], error?: unknown): DownloadNews {
    const { status, totalBytes, bytes } = this.download!;
    this.toldBytes = bytes;
    const news = { take: this.id, event, status, totalBytes, bytes };
    return error === undefined ? news : { ...news, error: packError(error) };
  }
}
