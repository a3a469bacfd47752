import { checkFieldName, checkFieldValue } from "../http/mod.ts";
import { type TcpTarget, type TlsConnectOptions, withoutBrackets } from "../transport/mod.ts";
import { badResponse } from "./failures.ts";

/** Where a URL leads to. */
export interface UrlTarget {
  /** The URL, without its fragment. */
  readonly href: string;
  /** The address to connect to. */
  readonly target: TcpTarget;
  /** What two URLs share that one connection can serve. */
  readonly origin: string;
  /** The Host field. */
  readonly host: string;
  /** Path and query. */
  readonly path: string;
}

/**
 * Take a URL apart.
 *
 * @throws {TypeError} When it is not an http or https URL, or holds a user name.
 */
export function parseUrl(url: string | URL, tls: TlsConnectOptions = {}): UrlTarget {
  if (!URL.canParse(url)) throw new TypeError(`Cannot get "${url}": expected a URL`);
  const parsed = new URL(url);
  const { protocol, hostname, port, host, pathname, search, username, password } = parsed;
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError(`Cannot get "${url}": expected http: or https:, got "${protocol}"`);
  }
  if (username !== "" || password !== "") {
    throw new TypeError(`Cannot get "${host}": user names are not supported`);
  }
  const secured = protocol === "https:";
  const target: TcpTarget = {
    hostname: withoutBrackets(hostname),
    port: port === "" ? (secured ? 443 : 80) : Number(port),
    ...(secured ? { tls } : {}),
  };
  parsed.hash = "";
  const { href, origin } = parsed;
  return { href, target, origin, host, path: pathname + search };
}

/**
 * Where a redirect leads to (RFC 9110, section 10.2.2).
 *
 * Nothing that was secured goes on in the clear, and the name that a certificate was asked to carry
 * counts for its own host only.
 *
 * @throws {JackfieldError} `HTTP_BAD_RESPONSE` when it leads nowhere, or from https to http.
 */
export function redirectTarget(
  from: UrlTarget,
  location: string | undefined,
  tls: TlsConnectOptions = {},
): UrlTarget {
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw badResponse(`it redirects to "${(location ?? "nowhere").slice(0, 100)}"`);
  }
  const url = new URL(location, from.href);
  if (from.href.startsWith("https:") && url.protocol === "http:") {
    throw badResponse(`it redirects from https to ${url.origin}, which is not secured`);
  }
  const { serverName: _serverName, ...others } = tls;
  try {
    return parseUrl(url, url.origin === from.origin ? tls : others);
  } catch (cause) {
    throw badResponse(`it redirects elsewhere: ${(cause as Error).message}`);
  }
}

/** Fields that a transfer writes itself, or that would change what an answer's body is. */
const OWN_FIELDS: readonly string[] = [
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "keep-alive",
  "range",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "want-content-digest",
  "want-repr-digest",
];

/**
 * The fields that a caller adds to every request.
 *
 * @throws {TypeError} For a name or a value that is none, or a field that is not the caller's.
 */
export function checkHeaders(
  headers: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  return Object.entries(headers).map(([name, value]) => {
    if (OWN_FIELDS.includes(name.toLowerCase())) {
      throw new TypeError(`Cannot use header "${name}": the transfer writes it itself`);
    }
    return [checkFieldName(name), checkFieldValue(value)] as const;
  });
}
