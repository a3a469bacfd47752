import { clearInterval, setInterval } from "node:timers";
import { type DownloadServer, serveDownloads } from "../download/mod.ts";
import { packError, unpackError } from "../handoff/packed_error.ts";
import type { OwnerLink, Transport } from "../transport/mod.ts";
import type { PlainServeOptions, ServeNews, ServeOrder } from "./serve_words.ts";
import { sendfileEngine } from "./sendfile_engine.ts";

/** How old at most the numbers are that the other thread has. */
const STATS_MS = 100;

/**
 * Serve files for who has started this thread: accept, read requests and send, all in here but for long
 * files, for which it starts a thread in its turn where it can.
 */
export function serveForParent(parent: OwnerLink, transport: Transport, ended: () => void): void {
  const tell = (news: ServeNews): void => parent.post(news);
  let server: DownloadServer | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;

  let bytesPerSecond: number | undefined;
  const serve = async (options: PlainServeOptions, workerUrl?: string): Promise<void> => {
    server = await serveDownloads({
      ...options,
      transport,
      engine: sendfileEngine({ workerUrl }),
      onError: (error, { stage }) => tell({ kind: "error", error: packError(error), stage }),
    });
    if (bytesPerSecond !== undefined) server.maxBytesPerSecond = bytesPerSecond;
    const { address, url } = server;
    tell({ kind: "stats", stats: server.stats() });
    tell({ kind: "listening", address, url });
    timer = setInterval(() => tell({ kind: "stats", stats: server!.stats() }), STATS_MS);
  };
  const limit = (wanted: number): void => {
    bytesPerSecond = wanted; // There may be no server yet.
    if (server !== undefined) server.maxBytesPerSecond = wanted;
  };
  const close = async (timeoutMs: number | undefined): Promise<void> => {
    await server?.close({ timeoutMs });
    clearInterval(timer);
    if (server !== undefined) tell({ kind: "stats", stats: server.stats() });
    tell({ kind: "closed" });
    ended();
  };
  const fail = (error: unknown): void => {
    tell({ kind: "failed", error: packError(error) });
    ended();
  };

  parent.receive({
    message(message) {
      const order = message as ServeOrder;
      if (order.kind === "serve") serve(order.options, order.workerUrl).catch(fail);
      else if (order.kind === "limit") limit(order.bytesPerSecond);
      else if (order.kind === "abort") server?.abort(unpackError(order.reason));
      else void close(order.timeoutMs);
    },
  });
}
