/**
 * The other end of a `WorkerGroup`: what the script of its threads calls.
 *
 * @example A script that answers every connection
 * ```ts
 * import { serveSockets } from "@jackfield/jackfield/worker";
 *
 * serveSockets(async (socket, { ready }) => {
 *   const buffer = new Uint8Array(65_536);
 *   while (await ready()) {
 *     const count = await socket.read(buffer);
 *     if (count === null) return; // The peer has ended: the socket is closed.
 *     await socket.write(buffer.subarray(0, count));
 *   }
 *   return socket; // It is wanted back.
 * });
 * ```
 *
 * @module
 */
import { systemTransport } from "../system_transport.ts";
import { GroupMember, type RequestHandler, type SocketHandler } from "../workers/mod.ts";

export type {
  Socket,
  SocketAddress,
  SocketState,
  StartTlsOptions,
  TlsConnectOptions,
} from "../transport/mod.ts";
export type { RequestHandler, RequestWork, SocketHandler, SocketWork } from "../workers/mod.ts";

let onSocket: SocketHandler | undefined;
let onRequest: RequestHandler | undefined;
let hasBegun = false;

/**
 * Serve the sockets that `WorkerGroup.assign` moves to this thread, and those that it accepts itself
 * after `WorkerGroup.listen`. Nothing happens outside of a thread. Call it before the first `await` of
 * the script.
 */
export function serveSockets(handler: SocketHandler): void {
  onSocket = checked(handler);
  begin();
}

/**
 * Answer the requests of `WorkerGroup.serveFramed`. Nothing happens outside of a thread. Call it
 * before the first `await` of the script.
 */
export function serveRequests(handler: RequestHandler): void {
  onRequest = checked(handler);
  begin();
}

function checked<Handler>(handler: Handler): Handler {
  if (typeof handler === "function") return handler;
  throw new TypeError(`Cannot use handler "${String(handler)}": expected a function`);
}

/** Begin once, when the script had its turn to say all that it serves. */
function begin(): void {
  if (hasBegun) return;
  hasBegun = true;
  queueMicrotask(() => void join());
}

async function join(): Promise<void> {
  const transport = systemTransport();
  const { parent, checkDescriptors, descriptors } = transport.host;
  if (parent?.kind !== "thread") return;
  const canDuplicate = descriptors !== undefined && checkDescriptors?.() === undefined;
  const own = canDuplicate ? await descriptors() : undefined;
  new GroupMember(parent, { transport, descriptors: own, onSocket, onRequest });
}
