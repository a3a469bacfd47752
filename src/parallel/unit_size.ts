/** What is asked for first when nobody named a size: little, so that the others can start soon. */
export const FIRST_UNIT_BYTES: number = 256 * 1024;
const LEAST_BYTES = 64 * 1024;
const MOST_BYTES = 4 * 2 ** 20;

/**
 * The size of a data unit when nobody named one: a share of the rest for every socket, from 64 KiB
 * (a request costs a round trip) to 4 MiB (what is lost with a socket is fetched again).
 */
export function unitSizeFor(restBytes: number, sockets: number): number {
  return Math.min(Math.max(Math.ceil(restBytes / sockets), LEAST_BYTES), MOST_BYTES);
}
