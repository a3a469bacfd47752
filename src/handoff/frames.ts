import type {
  ConnectionEnd,
  ConnectionToken,
  SocketAddress,
  SocketFacts,
} from "../transport/mod.ts";
import type { LedgerEntry } from "./ledger.ts";

/** A duplicate that travels as a token, with the entry that says who has it. */
export interface TravellingToken {
  /** The duplicate. */
  readonly token: ConnectionToken;
  /** In the ledger of the sender. */
  readonly entry: LedgerEntry;
}

/** What does not travel with every socket. */
export interface OfferBody {
  /** What was read and not used. */
  readonly unread: Uint8Array | undefined;
  /** What the sender's program says about it. */
  readonly data: unknown;
}

/**
 * A connection comes along. What every socket has stands here flat: nested objects would take a third of
 * the time of a message.
 */
export interface OfferFrame {
  readonly kind: "offer";
  readonly id: number;
  readonly localHostname: string;
  readonly localPort: number;
  readonly localPath?: string;
  readonly remoteHostname: string;
  readonly remotePort: number;
  readonly remotePath?: string;
  readonly targetName?: string;
  readonly readEnded: boolean;
  readonly writeEnded: boolean;
  readonly body?: OfferBody;
  readonly travelling?: TravellingToken;
  /** It is lent, and to be given back. */
  readonly isLent?: true;
  /** The sender wants to be told of its end. */
  readonly tellsEnd?: true;
  /** It is what the receiver has offered under this id, and tells nobody of its end any more. */
  readonly returns?: number;
}

/** What an offer says about the time after it. */
export type OfferTerms = Pick<OfferFrame, "isLent" | "tellsEnd" | "returns">;

/** What channels send each other; `id` counts the offers of the one who offered. */
export type Frame =
  /** A message of the program's. */
  | { readonly kind: "message"; readonly message: unknown }
  /** Where the receiver of this enters the tokens that it offers. */
  | { readonly kind: "ledger"; readonly shared: SharedArrayBuffer }
  | OfferFrame
  /** The receiver owns it. */
  | { readonly kind: "adopted"; readonly id: number }
  /** The receiver owns all of them. */
  | { readonly kind: "all adopted"; readonly ids: readonly number[] }
  /** The receiver has dropped its copy. */
  | { readonly kind: "refused"; readonly id: number; readonly why: string }
  /** The connection that the receiver of this has offered has ended. */
  | { readonly kind: "ended"; readonly id: number; readonly how: ConnectionEnd }
  /** The sender has aborted it, or wants it aborted. */
  | { readonly kind: "withdrawn"; readonly id: number };

/** The frame for a socket. */
export function offerOf(
  id: number,
  facts: SocketFacts,
  body: OfferBody,
  terms: OfferTerms | undefined,
): OfferFrame {
  const { localAddress, remoteAddress, targetName, ended } = facts;
  return {
    kind: "offer",
    id,
    localHostname: localAddress.hostname,
    localPort: localAddress.port,
    ...(localAddress.path === undefined ? undefined : { localPath: localAddress.path }),
    remoteHostname: remoteAddress.hostname,
    remotePort: remoteAddress.port,
    ...(remoteAddress.path === undefined ? undefined : { remotePath: remoteAddress.path }),
    ...(targetName === undefined ? undefined : { targetName }),
    readEnded: ended?.read ?? false,
    writeEnded: ended?.write ?? false,
    ...(body.unread === undefined && body.data === undefined ? undefined : { body }),
    ...terms,
  };
}

/** What the frame says of its socket. */
export function factsOf(frame: OfferFrame): SocketFacts {
  const { targetName, readEnded, writeEnded, body } = frame;
  return {
    localAddress: addressOf(frame.localHostname, frame.localPort, frame.localPath),
    remoteAddress: addressOf(frame.remoteHostname, frame.remotePort, frame.remotePath),
    targetName,
    ended: { read: readEnded, write: writeEnded },
    unread: body?.unread,
  };
}

function addressOf(hostname: string, port: number, path: string | undefined): SocketAddress {
  return path === undefined ? { hostname, port } : { hostname, port, path };
}
