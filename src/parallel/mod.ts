/**
 * One transfer over several sockets: bytes are cut into data units, units travel on the sockets that
 * a strategy picks, and every unit is written in its place.
 *
 * As many workers as sockets take the next unit in turn, each leases a socket for it from a pool. A
 * unit that fails with its socket is asked for again on another; what the server says (a status, a
 * file that changed) ends the transfer: the first failure aborts the sockets of all workers, and the
 * unfinished output is removed. Memory: 256 KiB per socket.
 *
 * @module
 */
export { parallelGet, type ParallelGetOptions, type ParallelGetResult } from "./parallel_get.ts";
export type { SocketProgress, TransferProgress } from "./progress.ts";
