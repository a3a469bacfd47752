import type { FieldLine } from "../http/mod.ts";
import type { Clock, Transport } from "../transport/mod.ts";
import type { Download } from "./download.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import type { DownloadRefusal, DownloadRequest } from "./download_request.ts";
import type { DeskService } from "./desk_service.ts";
import type { DeskTake } from "./desk_take.ts";
import type { DeskOptions, HookName, Question, Terms } from "./desk_words.ts";

type Take = DeskTake<DeskService>;

/** What stands in for the functions of the fronts. */
export interface HostedParts {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Which take a request is of. */
  takeOf(request: DownloadRequest): Take;
  /** What is said about a client that has downloads. */
  termsOf(client: string): Terms;
  /** A download is over. */
  ended(take: Take, error: unknown): void;
  /** Something failed. */
  report(error: unknown): void;
}

/** The options of an inline desk that asks its fronts for what only they can say. */
export function hostedOptions(
  options: DeskOptions,
  hooks: readonly HookName[],
  { transport, clock, takeOf, termsOf, ended, report }: HostedParts,
): DownloadManagerOptions {
  const ask = (request: DownloadRequest, question: Question): Promise<unknown> => {
    const take = takeOf(request);
    return take.front.ask(take, question);
  };
  const told = (event: "queued" | "started") => (download: Download) => {
    const take = takeOf(download.request);
    take.download = download;
    take.front.tell(take, event);
  };
  const has = (hook: HookName) => hooks.includes(hook);
  return {
    ...options,
    transport,
    clock,
    clientOf: (request) => {
      const { terms, failure } = takeOf(request);
      if (terms === undefined) throw failure;
      return terms.client;
    },
    priorityOf: (request) => takeOf(request).terms?.priority ?? 0,
    weightOf: (client) => termsOf(client).weight,
    maxClientBytesPerSecond: (client) => termsOf(client).clientBytesPerSecond,
    ...(has("authorize") && {
      authorize: (request) =>
        ask(request, { hook: "authorize" }) as Promise<boolean | DownloadRefusal>,
    }),
    ...(has("resolve") && {
      resolve: (request) => ask(request, { hook: "resolve" }) as Promise<string | undefined>,
    }),
    ...(has("headers") && {
      headers: (file, request) =>
        ask(request, { hook: "headers", file }) as Promise<readonly FieldLine[]>,
    }),
    observer: {
      queued: told("queued"),
      started: told("started"),
      progress(download) {
        const take = takeOf(download.request);
        take.front.progress(take);
      },
      ended: (download, error) => ended(takeOf(download.request), error),
    },
    onError: report,
  };
}
