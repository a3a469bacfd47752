import cluster from "node:cluster";
import * as net from "node:net";
import type { AcceptGate } from "../../transport/mod.ts";
import { checkDescriptors, systemDescriptors } from "./system_descriptors.ts";

const inDeno = "Deno" in globalThis;
const inBun = "Bun" in globalThis;

/** What Node's own object for a listening socket has. */
interface NodeHandle {
  readonly fd: number;
  /** Look at it under this descriptor; 0, or an error's number. */
  open(fd: number): number;
  /** Have the event loop watch it; 0, or an error's number. */
  readStart(): number;
  /** Have the event loop watch it no more. */
  readStop(): number;
  close(): void;
}

/** What `node:net` of Node and Deno has besides what is documented. */
interface NetInside {
  _createServerHandle?(
    hostname: string,
    port: number,
    family: 4 | 6,
    fd: undefined,
    flags: number,
  ): NodeHandle | number;
}

/**
 * A bound socket for `server.listen` in Node, which {@linkcode gateOfHandle} can stop.
 *
 * Node has no word for it. But its event loop watches a listening socket the way it watches a stream,
 * and lets go of one that was opened by its descriptor, as those from other processes are. That is
 * nowhere promised (seen with Node 22.23): where a step does not answer 0, there is no such socket.
 */
export function stoppableHandle(hostname: string, port: number): object | undefined {
  const { _createServerHandle: create } = net as unknown as NetInside;
  if (inDeno || inBun || cluster.isWorker || create === undefined) return undefined;
  const handle = create(hostname, port, hostname.includes(":") ? 6 : 4, undefined, 0);
  // What is wrong with the address is told by who listens on it without this.
  if (typeof handle === "number") return undefined;
  if (handle.open?.(handle.fd) === 0) return handle;
  handle.close();
  return undefined;
}

/** How accepting from a socket of Node stops and starts; `undefined` where it cannot. */
export function gateOfHandle(handle: object): AcceptGate | undefined {
  const { readStart, readStop } = handle as Partial<NodeHandle>;
  // Only what was started so can be stopped; a socket that Node has opened by itself says no here.
  if (readStart?.call(handle) !== 0 || readStop === undefined) return undefined;
  return { stop: () => void readStop.call(handle), start: () => void readStart.call(handle) };
}

/** Makes duplicates of the descriptors of listeners. */
export interface ListenerDescriptors {
  /** Duplicate that of a runtime's own listener, which keeps its backlog; less than 0 if it cannot. */
  duplicate(handle: object): number;
  /** Close a duplicate that nobody listens on. */
  discard(descriptor: number): void;
}

let known: ListenerDescriptors | undefined;

/** The native part says how, where it is loaded. */
export function provideListenerDescriptors(descriptors: ListenerDescriptors): void {
  known = descriptors;
}

/** Duplicates in Bun; `undefined` where its native part cannot be, or was not brought along. */
export async function bunListenerDescriptors(): Promise<ListenerDescriptors | undefined> {
  if (known === undefined && checkDescriptors() === undefined) await systemDescriptors()?.();
  return known;
}
