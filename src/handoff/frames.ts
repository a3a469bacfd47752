import type {
  ConnectionEnd,
  ConnectionToken,
  SocketAddress,
  SocketFacts,
} from "../transport/mod.ts";
import type { LedgerEntry } from "./ledger.ts";

/** A connection that is offered, as the receiver sees it. */
export interface Offer {
  /** Counts the offers of the sender. */
  readonly id: number;
  /** What its socket is made with. */
  readonly facts: SocketFacts;
  /** What the sender's program says about it. */
  readonly data: unknown;
  /** What holds for the time after it. */
  readonly terms: OfferTerms;
  /** The duplicate, where it travels as a token. */
  readonly travelling: TravellingToken | undefined;
}

/** A duplicate that travels as a token, with the entry that says who has it. */
export interface TravellingToken {
  /** The duplicate. */
  readonly token: ConnectionToken;
  /** In the ledger of the sender. */
  readonly entry: LedgerEntry;
}

/** What an offer says about the time after it. */
export interface OfferTerms {
  /** It is lent, and to be given back. */
  readonly isLent: boolean;
  /** The sender wants to be told of its end. */
  readonly tellsEnd: boolean;
  /** It is what the receiver has offered under this id, and tells nobody of its end any more. */
  readonly returns: number | undefined;
}

/** What does not travel with every socket. */
interface OfferBody {
  readonly localPath: string | undefined;
  readonly remotePath: string | undefined;
  readonly unread: Uint8Array | undefined;
  readonly data: unknown;
}

/**
 * A connection comes along. What every socket has stands here in a row: an object with names takes twice
 * the time of a message.
 */
export type OfferFrame = readonly [
  kind: "offer",
  id: number,
  localHostname: string,
  localPort: number,
  remoteHostname: string,
  remotePort: number,
  targetName: string | undefined,
  readEnded: boolean,
  writeEnded: boolean,
  isLent: boolean,
  tellsEnd: boolean,
  returns: number | undefined,
  body: OfferBody | undefined,
  token?: ConnectionToken,
  place?: number,
  count?: number,
];

/** Where the token stands, behind what is returned and the body. */
const TOKEN_AT = 13;

/** What channels send each other; `id` counts the offers of the one who offered. */
export type Frame =
  /** A message of the program's. */
  | readonly [kind: "message", message: unknown]
  /** Where the receiver of this enters the tokens that it offers. */
  | readonly [kind: "ledger", shared: SharedArrayBuffer]
  | OfferFrame
  /** Several connections, each with its token. */
  | readonly [kind: "offers", offers: readonly OfferFrame[]]
  /** The receiver owns all of them. */
  | readonly [kind: "adopted", ...ids: readonly number[]]
  /** The receiver has dropped its copy. */
  | readonly [kind: "refused", id: number, why: string]
  /** The connection that the receiver of this has offered has ended. */
  | readonly [kind: "ended", id: number, how: ConnectionEnd]
  /** The sender has aborted it, or wants it aborted. */
  | readonly [kind: "withdrawn", id: number];

/** The frame for a socket; what was read and not used stands in `facts`. */
export function packOffer(
  id: number,
  facts: SocketFacts,
  data: unknown,
  { isLent, tellsEnd, returns }: OfferTerms,
): OfferFrame {
  const { localAddress, remoteAddress, targetName, ended, unread } = facts;
  const localPath = localAddress.path;
  const remotePath = remoteAddress.path;
  const isBare = unread === undefined && data === undefined &&
    localPath === undefined && remotePath === undefined;
  return [
    "offer",
    id,
    localAddress.hostname,
    localAddress.port,
    remoteAddress.hostname,
    remoteAddress.port,
    targetName,
    ended?.read ?? false,
    ended?.write ?? false,
    isLent,
    tellsEnd,
    returns,
    isBare ? undefined : { localPath, remotePath, unread, data },
  ];
}

/** The same offer, which travels as a token. */
export function withToken(frame: OfferFrame, { token, entry }: TravellingToken): OfferFrame {
  return [...frame.slice(0, TOKEN_AT), token, entry.place, entry.count] as unknown as OfferFrame;
}

/**
 * Whether it is not to wait for others: who gave what cannot be cloned is to be told, and what comes back
 * is waited for.
 */
export function goesAlone(frame: OfferFrame): boolean {
  return frame[TOKEN_AT - 1] !== undefined || frame[TOKEN_AT - 2] !== undefined;
}

/** What was packed, with the token that has joined it. */
export function unpackOffer(frame: OfferFrame): Offer {
  const body = frame[12];
  return {
    id: frame[1],
    facts: {
      localAddress: addressOf(frame[2], frame[3], body?.localPath),
      remoteAddress: addressOf(frame[4], frame[5], body?.remotePath),
      targetName: frame[6],
      ended: { read: frame[7], write: frame[8] },
      unread: body?.unread,
    },
    data: body?.data,
    terms: { isLent: frame[9], tellsEnd: frame[10], returns: frame[11] },
    travelling: frame[13] === undefined
      ? undefined
      : { token: frame[13], entry: { place: frame[14]!, count: frame[15]! } },
  };
}

function addressOf(hostname: string, port: number, path: string | undefined): SocketAddress {
  return path === undefined ? { hostname, port } : { hostname, port, path };
}
