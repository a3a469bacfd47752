import { fromSocket, type NodeSocket } from "../../adapters/node/mod.ts";
import type { Socket } from "../../transport/mod.ts";
import { bindingsOf } from "./hono_context.ts";

/** A socket of `node:http`, while the server has it. */
interface ServerSocket extends NodeSocket {
  /** Set where it speaks TLS. */
  readonly encrypted?: boolean;
  /** What stands behind it; nothing does in Bun. */
  readonly _handle?: unknown;
  /** Reads requests from it, past its listeners. */
  readonly parser?: { unconsume?(): void } | null;
  removeAllListeners(event: string): unknown;
}

/** The answer, as `node:http` has it. */
interface ServerAnswer {
  readonly headersSent: boolean;
  /** The socket, when it is the turn of this answer. */
  readonly socket: ServerSocket | null;
  writeHead: unknown;
  write: unknown;
  end: unknown;
  flushHeaders: unknown;
}

/** What `@hono/node-server` gives to handlers. */
interface NodeBindings {
  readonly incoming?: { readonly httpVersionMajor: number; readonly socket?: ServerSocket };
  readonly outgoing?: ServerAnswer;
}

/** Sockets that belong to a manager. */
const released = new WeakSet<ServerSocket>();

/**
 * The socket of a request, which its server lets go of for good; `undefined` where it does not: with
 * HTTP/2 and with TLS, behind an answer that is still being sent on the same connection, and from
 * servers that do not show their sockets.
 *
 * In Bun it has no socket of its own to let go of: what `node:http` shows there (Bun 1.4.5) takes
 * every byte at once, however slow the client is, has no descriptor, and goes on to parse requests.
 */
export function releaseSocket(env: unknown): Socket | undefined {
  const { incoming, outgoing } = bindingsOf(env) as NodeBindings;
  const socket = incoming?.socket;
  if (socket === undefined || outgoing === undefined) return undefined;
  const isOwn = incoming!.httpVersionMajor === 1 && socket.encrypted !== true &&
    typeof socket._handle === "object" && socket._handle !== null;
  const isFree = outgoing.socket === socket && !outgoing.headersSent && !socket.destroyed;
  if (!isOwn || !isFree) return undefined;
  released.add(socket);
  silence(outgoing);
  // The server's parser would read on. In Node a new listener ends that; in Deno it has to be told.
  socket.parser?.unconsume?.();
  socket.removeAllListeners("data");
  socket.removeAllListeners("end");
  return fromSocket(socket);
}

/** Whether a request came right behind another one, whose socket was released: it has no answer. */
export function isBehindReleased(env: unknown): boolean {
  const { incoming } = bindingsOf(env) as NodeBindings;
  return incoming?.socket !== undefined && released.has(incoming.socket);
}

/**
 * Let nothing of an answer reach its socket, which it keeps: as long as the server takes it for
 * unfinished, answers to later requests wait behind it, and `close` does not end the connection as an
 * idle one. `detachSocket` would allow both.
 */
function silence(outgoing: ServerAnswer): void {
  const nothing = (): ServerAnswer => outgoing;
  outgoing.writeHead = nothing;
  outgoing.write = nothing;
  outgoing.end = nothing;
  outgoing.flushHeaders = nothing;
}

/** Tells `@hono/node-server` that nothing is left to answer. */
export function alreadySent(): Response {
  return new Response(null, { headers: { "x-hono-already-sent": "true" } });
}
