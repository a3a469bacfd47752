import { unsupported } from "../transport/mod.ts";
import { DescriptorBudget } from "./descriptor_budget.ts";
import { DownloadManager, keepReady } from "./download_manager.ts";
import type { DownloadServer } from "./download_server.ts";
import { claimPredecessor, refuseInheritance } from "./handover/predecessor.ts";
import { ManagedServer } from "./managed_server.ts";
import {
  readLimits,
  type ServeDownloadsOptions,
  sharesPort,
  withoutRefused,
} from "./serve_options.ts";

/**
 * Serve the files of a folder over HTTP/1.1.
 *
 * In a process that was started by `handOver` the first call takes over from the process that has
 * started it, in the place of listening.
 *
 * @throws {JackfieldError} `FILE_FAILED` for a folder that is not there, `LISTEN_FAILED` with a
 * reason, such as a port in use; `HANDOVER_FAILED` or `HANDOVER_REFUSED` when there is nothing to take
 * over: the old process goes on, and this one should end.
 * @throws {RangeError} When a number is out of range.
 * @throws {TypeError} When another option cannot be used.
 */
export async function serveDownloads(options: ServeDownloadsOptions): Promise<DownloadServer> {
  const { engine } = options;
  const elsewhere = engine?.serve?.(options);
  if (elsewhere === undefined) return await serveHere(options);
  if (typeof elsewhere !== "string") return await elsewhere;
  return await serveHere({ ...options, engine: { ...engine!, reason: elsewhere } });
}

async function serveHere(options: ServeDownloadsOptions): Promise<DownloadServer> {
  const limits = withoutRefused(readLimits(options), options);
  const { hostname, port, tls, onError, upgradable = false } = options;
  if (tls !== undefined && limits.maxGenerations > 1) {
    throw unsupported("maxGenerations with tls", "such a listener cannot leave its process");
  }
  // A connection with TLS cannot travel: there would be nothing for another thread to do.
  const placement = tls !== undefined && options.placement === "auto"
    ? "inline"
    : options.placement ?? "inline";
  const budget = new DescriptorBudget({
    host: options.transport.host,
    limit: limits.maxDescriptors,
    maxConnections: limits.maxConnections,
    each: placement === "inline" ? 1 : 2,
    startsProcesses: limits.maxGenerations > 1,
  });
  const maxOpenFiles = Math.min(options.maxOpenFiles ?? Infinity, budget.maxFiles);
  const manager = new DownloadManager({ ...options, placement, maxOpenFiles });
  const predecessor = claimPredecessor(options.transport.host);
  try {
    await manager.check();
    if (predecessor !== undefined) {
      keepReady(manager);
      return await ManagedServer.succeed(predecessor, manager, budget, limits, options);
    }
    const transferable =
      (upgradable || limits.maxGenerations > 1 || manager.placement !== "inline") &&
      tls === undefined;
    const listener = await options.transport.listen({
      hostname,
      port,
      tls,
      reusePort: sharesPort(options),
      onError,
      maxPending: budget.maxPending,
      ...(transferable ? { transferable } : {}),
    });
    keepReady(manager);
    return new ManagedServer(manager, budget, limits, options).listen(listener);
  } catch (error) {
    if (predecessor !== undefined) await refuseInheritance(predecessor, error);
    await manager.close();
    throw error;
  }
}
