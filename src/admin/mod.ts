/**
 * What a program holds and does, to look at and to steer from outside: a plain fetch handler with the
 * state in JSON, metrics, health and readiness, rests and bans of addresses, draining, and a page.
 *
 * It is given a pool, an address table and a download manager, and asks them when it is asked: it keeps
 * nothing and runs no timer. Who serves it, and where, is the program's business; the one thing that it
 * sees to is that not everybody may ask.
 *
 * @module
 */
export { type AdminHandler, adminHandler } from "./admin_handler.ts";
export type {
  AdminAddresses,
  AdminDownloads,
  AdminDownloadStats,
  AdminOptions,
  AdminPool,
} from "./admin_options.ts";
export type {
  AdminDownload,
  AdminDownloadsState,
  AdminPoolState,
  AdminState,
} from "./admin_state.ts";
export type { DrainState } from "./drain.ts";
