import type { AddressTableState } from "../address_table/mod.ts";
import type { Download } from "../download/mod.ts";
import type { PoolStats } from "../pool/mod.ts";
import type { AdminDownloadStats, AdminOptions, AdminPool } from "./admin_options.ts";
import type { Drain, DrainState } from "./drain.ts";

/** The most downloads that are listed. */
const MAX_LISTED = 100;

/** A pool, as plain data. */
export interface AdminPoolState extends PoolStats {
  /** The most sockets at any instant. */
  readonly maxSize: number;
}

/** A download, as plain data. */
export type AdminDownload =
  & Pick<Download, "client" | "state" | "paused" | "bytes" | "totalBytes">
  & { readonly target: string };

/** Downloads, as plain data. */
export interface AdminDownloadsState extends AdminDownloadStats {
  /** The first hundred of those that it has now. */
  readonly list: readonly AdminDownload[];
}

/** Everything that an admin handler was given, as plain data. */
export interface AdminState {
  /** Whether it was asked to drain, and has. */
  readonly drain: DrainState;
  /** Why no new work should come here; empty when it may. */
  readonly notReady: readonly string[];
  /** The pools by name; `""` is the one that has none. */
  readonly pools: Readonly<Record<string, AdminPoolState>>;
  /** The address table, if there is one. */
  readonly addresses?: AddressTableState;
  /** The downloads, if there are any. */
  readonly downloads?: AdminDownloadsState;
}

/** Pools by name; `""` for one without. */
export function poolsOf({ pool }: Pick<AdminOptions, "pool">): [name: string, pool: AdminPool][] {
  if (pool === undefined) return [];
  return isPool(pool) ? [["", pool]] : Object.entries(pool);
}

/** What everything holds and does now. */
export function readState(options: AdminOptions, drain: Drain): AdminState {
  const { addresses, manager } = options;
  const pools = poolsOf(options).map(([name, pool]): [string, AdminPoolState] => [
    name,
    { maxSize: pool.maxSize, ...pool.stats() },
  ]);
  const downloads = manager && {
    ...manager.stats(),
    list: manager.downloads().slice(0, MAX_LISTED).map(plain),
  };
  return {
    drain: drain.state,
    notReady: [
      ...(drain.state === "no" ? [] : ["it drains"]),
      ...pools.flatMap(([name, state]) => isExhausted(state) ? [`pool ${name} is used up`] : []),
      ...(downloads !== undefined && downloads.queued > 0 ? ["downloads wait in line"] : []),
    ],
    pools: Object.fromEntries(pools),
    ...(addresses === undefined ? {} : { addresses: addresses.state() }),
    ...(downloads === undefined ? {} : { downloads }),
  };
}

function isPool(pool: NonNullable<AdminOptions["pool"]>): pool is AdminPool {
  return typeof pool.stats === "function";
}

/** Whether the next caller would have to wait behind others. */
function isExhausted({ size, maxSize, idle, waiting }: AdminPoolState): boolean {
  return waiting > 0 && idle === 0 && size >= maxSize;
}

function plain({ request, client, state, paused, bytes, totalBytes }: Download): AdminDownload {
  return { target: request.target, client, state, paused, bytes, totalBytes };
}
