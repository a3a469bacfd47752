import type { Socket as NetSocket } from "node:net";

/** Gives bytes to the kernel past the runtime; how many it took, or less than 0. */
export type EarlySend = (socket: NetSocket, bytes: Uint8Array) => number;

let early: EarlySend | undefined;

/** The native part says how, where it is loaded; see `ParkedNet.arrived` for what it is good for. */
export function provideEarlySend(send: EarlySend): void {
  early = send;
}

/** Whether there is a way past the runtime. */
export function canSendEarly(): boolean {
  return early !== undefined;
}

/** Send past the runtime if there is a way; how many bytes the kernel took. */
export function sendEarly(socket: NetSocket, bytes: Uint8Array): number {
  return early === undefined || socket.destroyed ? 0 : Math.max(0, early(socket, bytes));
}
