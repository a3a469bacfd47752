import { Socket as NetSocket } from "node:net";
import { connectionOf, type Socket } from "../transport/mod.ts";
import type { BunSocket } from "../adapters/bun/runtime.ts";
import { AT_EMPTY_PATH, S_IFMT, S_IFSOCK, STATX, STATX_BASIC_STATS } from "./layouts.ts";
import type { Libc } from "./libc.ts";
import { OwnDescriptor } from "./own_descriptor.ts";

/** What stands behind a socket of `node:net`. */
interface NetHandle {
  /** Its descriptor, in Bun. */
  readonly fd?: number;
  /** A duplicate of its descriptor, in Deno. */
  fdForIpc?(): number;
}

const EMPTY_PATH = new Uint8Array(1);
const facts = new Uint8Array(STATX.bytes);
const factsView = new DataView(facts.buffer);
/** Connections whose descriptor was looked at. */
const seen = new WeakMap<object, number>();

/**
 * The descriptor of a socket that somebody has and nobody else uses; -1 when there is none to borrow.
 * It is good until the next `await`: the runtime may close it in any event.
 *
 * Deno has it at a private symbol of accepted connections, Bun at a property; a number that is no
 * socket is taken for none.
 */
export function descriptorOf(libc: Libc, socket: Socket): number {
  const connection = connectionOf(socket);
  if (typeof connection !== "object" || connection === null) return -1;
  if (connection instanceof NetSocket) return handleOf(connection).fd ?? -1;
  // Bun tells -1 for one that is closed.
  if ("fd" in connection) return checked(libc, connection, (connection as BunSocket).fd ?? -1);
  const known = seen.get(connection);
  if (known !== undefined) return known;
  return checked(libc, connection, privateDescriptor(connection));
}

/**
 * A duplicate of the descriptor, which stays usable whatever becomes of the socket; whoever gets it
 * releases it. `undefined` when there is none.
 */
export function duplicateOf(libc: Libc, socket: Socket): OwnDescriptor | undefined {
  const connection = connectionOf(socket);
  if (connection instanceof NetSocket) {
    const { fdForIpc } = handleOf(connection);
    if (fdForIpc !== undefined) {
      const copy = handleOf(connection).fdForIpc!();
      return copy < 0 ? undefined : new OwnDescriptor(libc, copy);
    }
  }
  const descriptor = descriptorOf(libc, socket);
  return descriptor < 0 ? undefined : OwnDescriptor.duplicate(libc, descriptor);
}

function checked(libc: Libc, connection: object, descriptor: number): number {
  if (descriptor < 0 || seen.get(connection) === descriptor) return descriptor;
  const isSocket =
    libc.statx(descriptor, EMPTY_PATH, AT_EMPTY_PATH, STATX_BASIC_STATS, facts) === 0 &&
    (factsView.getUint16(STATX.mode, true) & S_IFMT) === S_IFSOCK;
  seen.set(connection, isSocket ? descriptor : -1);
  return isSocket ? descriptor : -1;
}

function privateDescriptor(connection: object): number {
  const symbol = Object.getOwnPropertySymbols(connection)
    .find(({ description }) => description === "Deno.internal.fd");
  const value = symbol && (connection as Readonly<Record<symbol, unknown>>)[symbol];
  return typeof value === "number" ? value : -1;
}

/** The private part of a socket of `node:net`. */
export function handleOf(socket: NetSocket): NetHandle {
  return (socket as unknown as { readonly _handle?: NetHandle | null })._handle ?? {};
}
