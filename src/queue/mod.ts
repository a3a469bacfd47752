/**
 * Who waits: for a socket of a pool, or for a place among the active downloads.
 *
 * @module
 */
export { Fifo, type Place } from "./fifo.ts";
