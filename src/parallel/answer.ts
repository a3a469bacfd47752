import { encodeHead, HeadReader, parseResponseHead, type ResponseHead } from "../http/mod.ts";
import type { SocketPool } from "../pool/mod.ts";
import { JackfieldError } from "../transport/mod.ts";
import { badResponse } from "./failures.ts";
import type { Interval } from "./intervals.ts";
import { ResponseBody } from "./response_body.ts";
import type { SocketWatch } from "./socket_watch.ts";
import type { UrlTarget } from "./url_target.ts";

/** Where a file is, and the sockets that lead there. */
export interface Site {
  /** Where it is. */
  readonly url: UrlTarget;
  /** The sockets. */
  readonly pool: SocketPool;
  /** What the caller adds to each request. */
  readonly headers: readonly (readonly [string, string])[];
}

/** What is asked for. */
export interface Question {
  /** These bytes; without it the whole file. */
  readonly range?: Interval;
  /** Only if the file is still this one; else the whole new one (RFC 9110, section 13.1.5). */
  readonly ifRange?: string;
  /** Whether a digest of the whole file is wanted (RFC 9530, section 4). */
  readonly wantsDigest?: boolean;
  /** Whether a digest of the answer's own bytes is wanted. */
  readonly wantsUnitDigest?: boolean;
}

/** An answer whose head has been read. */
export interface Answer {
  /** The head. */
  readonly head: ResponseHead;
  /** What follows it. */
  readonly body: ResponseBody;
  /** Whether the connection may carry another request now. */
  readonly isReusable: boolean;
}

/** How many interim answers (status 1xx) may come before the final one. */
const MAX_INTERIM = 16;
/** What a digest is wanted as: the only algorithm that every host here has. */
const WANTED = "sha-256=10";

/**
 * Ask for a file or a part of it, and read the head of the answer.
 *
 * @throws {JackfieldError} `HTTP_BAD_RESPONSE`, or that of a broken socket.
 */
export function ask(watch: SocketWatch, site: Site, question: Question): Promise<Answer> {
  const { socket } = watch;
  // A head that breaks off is a broken connection, whatever had come of it.
  const reader = new HeadReader({
    read: async (into) => {
      const count = await socket.read(into);
      if (count === null) throw endedBefore();
      return count;
    },
  }, "HTTP_BAD_RESPONSE");
  return watch.exchange(async () => {
    await socket.write(requestHead(site, question));
    for (let interim = 0; interim <= MAX_INTERIM; interim++) {
      const head = parseResponseHead((await reader.next())!);
      if (head.status === 101) throw badResponse("it speaks another protocol (status 101)", 101);
      if (head.status < 200) continue; // RFC 9110, section 15.2
      const body = new ResponseBody(head, reader, watch);
      return {
        head,
        body,
        get isReusable() {
          return head.keepAlive && body.isWhole;
        },
      };
    }
    throw badResponse(`more than ${MAX_INTERIM} interim answers came before it`);
  });
}

function requestHead(site: Site, question: Question): Uint8Array<ArrayBuffer> {
  const { url, headers } = site;
  const { range, ifRange, wantsDigest, wantsUnitDigest } = question;
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  return encodeHead(`GET ${url.path} HTTP/1.1`, [
    ["Host", url.host],
    ...(names.has("accept") ? [] : [["Accept", "*/*"]] as const),
    ["Accept-Encoding", "identity"],
    ...(range === undefined ? [] : [["Range", `bytes=${range.start}-${range.end - 1}`]] as const),
    ...(ifRange === undefined ? [] : [["If-Range", ifRange]] as const),
    ...(wantsDigest === true ? [["Want-Repr-Digest", WANTED]] as const : []),
    ...(wantsUnitDigest === true ? [["Want-Content-Digest", WANTED]] as const : []),
    ...headers,
  ]);
}

function endedBefore(): JackfieldError {
  return new JackfieldError(
    "SOCKET_RESET",
    "Cannot read response: the connection ended before it was complete",
    { operation: "read" },
  );
}
