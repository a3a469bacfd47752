import { type FieldLine, keepsAlive, type RequestHead } from "../http/mod.ts";
import type { Socket, SocketAddress } from "../transport/mod.ts";
import { assertAtLeast } from "./settings.ts";

/** A request for a download, as hooks see it. */
export interface DownloadRequest extends RequestHead {
  /** The far end of the connection that it came on. */
  readonly remoteAddress: SocketAddress;
  /** On whose account it is sent, where whoever took it has said so. */
  readonly client?: string;
  /** What it may be sent with, where whoever took it has said so. */
  readonly maxBytesPerSecond?: number;
}

/** A request as it is given to a manager: only the target has to be said. */
export interface DownloadRequestInit {
  /** Path and query, percent-encoded, beginning with a slash. */
  readonly target: string;
  /** How. @default {"GET"} */
  readonly method?: string;
  /**
   * Header fields: a map with names in lower case, or pairs, such as a `Headers`.
   *
   * @default {none}
   */
  readonly fields?: Iterable<readonly [name: string, value: string]>;
  /** 0 or 1, of HTTP/1.0 or 1.1. @default {1} */
  readonly minorVersion?: 0 | 1;
  /**
   * Whether the connection may carry another request after the answer: the result has the socket
   * then.
   *
   * @default {what the fields say (RFC 9112, section 9.3), and `false` without fields}
   */
  readonly keepAlive?: boolean;
  /** Whether a body follows the head: it is refused then. @default {false} */
  readonly hasBody?: boolean;
  /** The host that the request names. @default {the field Host} */
  readonly host?: string;
  /** Bytes behind the head that were read already: the next request of the connection. */
  readonly unread?: Uint8Array;
  /** On whose account it is sent. @default {what the manager's clientOf says} */
  readonly client?: string;
  /** Bytes per second for this download, at least 1. @default {Infinity} */
  readonly maxBytesPerSecond?: number;
}

/** How a download ended. */
export interface DownloadResult {
  /** The status that was sent. */
  readonly status: number;
  /** How many bytes of the body were sent. */
  readonly bytes: number;
  /** The socket, for the next request; `undefined` when the connection is closed. */
  readonly socket: Socket | undefined;
}

/** Another answer than the file, from {@linkcode DownloadHooks.authorize}. */
export interface DownloadRefusal {
  /** 4xx or 5xx. */
  readonly status: number;
  /** The body, as plain text. @default {one line that says the status} */
  readonly text?: string;
  /** Further fields, such as WWW-Authenticate. */
  readonly fields?: readonly FieldLine[];
}

const NO_FIELDS: ReadonlyMap<string, string> = new Map();

/** The request with everything that was left out. */
export function completeRequest(
  init: DownloadRequestInit,
  remoteAddress: SocketAddress,
): DownloadRequest {
  const { target, method = "GET", minorVersion = 1, hasBody = false } = init;
  const { client, maxBytesPerSecond = Infinity } = init;
  assertAtLeast("maxBytesPerSecond", maxBytesPerSecond, 1);
  if (!target.startsWith("/") && target !== "*" && method !== "CONNECT") {
    throw new TypeError(`Cannot take request with target "${target}": expected a slash first`);
  }
  const fields = init.fields === undefined ? NO_FIELDS : mapOf(init.fields);
  return {
    method,
    target,
    minorVersion,
    fields,
    hasBody,
    keepAlive: init.keepAlive ?? (init.fields !== undefined && keepsAlive(fields, minorVersion)),
    host: init.host ?? fields.get("host"),
    remoteAddress,
    ...(client === undefined ? {} : { client }),
    ...(maxBytesPerSecond === Infinity ? {} : { maxBytesPerSecond }),
  };
}

function mapOf(
  fields: Iterable<readonly [name: string, value: string]>,
): ReadonlyMap<string, string> {
  if (fields instanceof Map) return fields as ReadonlyMap<string, string>;
  const map = new Map<string, string>();
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    const before = map.get(key);
    map.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return map;
}
