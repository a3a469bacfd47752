import type { SocketAddress } from "../../transport/mod.ts";

/** Sets TCP_NODELAY on the listener that is bound to an address; whether it was found. */
export type SetListenerNoDelay = (address: SocketAddress) => boolean;

let known: SetListenerNoDelay | undefined;

/** The native part says how, where it is loaded. */
export function provideListenerNoDelay(set: SetListenerNoDelay): void {
  known = set;
}

/** Whether there is a way past Deno, which has no call for it. */
export function canSetListenerNoDelay(): boolean {
  return known !== undefined;
}

/** Set it if there is a way; whether it is set. Linux hands it down to what is accepted. */
export function setListenerNoDelay(address: SocketAddress): boolean {
  return known !== undefined && known(address);
}
