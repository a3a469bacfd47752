/**
 * Moves a live socket to another owner. A socket has one owner at a time: the old handle is dead
 * before the new one exists.
 *
 * @module
 */
export { handOff } from "./same_thread.ts";
