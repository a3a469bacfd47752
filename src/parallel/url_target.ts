import { type TcpTarget, type TlsConnectOptions, withoutBrackets } from "../transport/mod.ts";

/** Where a URL leads to. */
export interface UrlTarget {
  /** The address to connect to. */
  readonly target: TcpTarget;
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
  const { protocol, hostname, port, host, pathname, search, username, password } = new URL(url);
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
  return { target, host, path: pathname + search };
}
