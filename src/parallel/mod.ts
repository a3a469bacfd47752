/**
 * One transfer over several sockets: bytes are cut into data units, units travel on the sockets that
 * a strategy picks, and every unit is written in its place. `striped/` carries a stream so, between two
 * programs that both have this package; the rest fetches a file from any server.
 *
 * The first answer tells the size, whether the server knows ranges, and by what the file's content can
 * be told from another one. As many workers as sockets then take a socket from a pool and the first
 * bytes that nobody fetches. Who has none left takes over a part of what the slowest has still to
 * fetch. What the server says (a status, a file that changed) ends the transfer: the first failure
 * aborts the sockets of all workers.
 *
 * ```text
 * find_file ─► one answer: no ranges, or nothing to tell parts by ─► whole_file ─┐
 *     │                                                                          ├─► output ─► digest
 *     └──────► the first part ─► crew of workers ─► unit_plan: free, assigned, done ─┘
 * ```
 *
 * Who owns what: a worker owns its lease and its piece until it gives both back; the plan owns which
 * byte is whose; the output owns the file, its state and its name.
 *
 * @module
 */
export type { OneSocketReason } from "./find_file.ts";
export type { ParallelGetOptions, ParallelGetResult } from "./get_options.ts";
export { parallelGet } from "./parallel_get.ts";
export type { SocketProgress, TransferProgress } from "./progress.ts";
export {
  type Bundle,
  type BundleMember,
  connectStriped,
  type ConnectStripedOptions,
  listenStriped,
  type ListenStripedOptions,
  type StripedListener,
  type StripedOptions,
  type StripedSocket,
  type UnitRequest,
} from "./striped/mod.ts";
