import { badHead, shorten } from "./bad_head.ts";

/** What a request asks for. */
export interface RequestTarget {
  /** Path and query; `*` or `host:port` where the method allows these. */
  readonly target: string;
  /** The host that the target itself names, if it does. */
  readonly host: string | undefined;
}

/**
 * Read one of the four forms of a target (RFC 9112, section 3.2): origin-form for every method,
 * absolute-form too, authority-form for CONNECT alone, asterisk-form for OPTIONS alone.
 *
 * @throws {JackfieldError} `HTTP_BAD_REQUEST`.
 */
export function readTarget(method: string, target: string): RequestTarget {
  if (method === "CONNECT") {
    if (isHostAndPort(target) && /:\d+$/.test(target)) return { target, host: target };
  } else if (target.startsWith("/")) {
    return { target, host: undefined };
  } else if (target === "*" && method === "OPTIONS") {
    return { target, host: undefined };
  } else {
    // No user information before the host: it only serves to deceive (RFC 9110, section 4.2.4).
    const match = /^https?:\/\/([^/?]+)(.*)$/i.exec(target);
    if (match !== null && isHostAndPort(match[1]!)) {
      const path = match[2]!;
      return { target: path.startsWith("/") ? path : `/${path}`, host: match[1]! };
    }
  }
  throw badHead("HTTP_BAD_REQUEST", `cannot serve target "${shorten(target)}"`);
}

/** Names and numbers without brackets; a port only after a host, for an http URI must have one. */
const HOST_AND_PORT =
  /^(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::(\d*))?$/;

/** A host and perhaps a port (RFC 9110, section 7.2; RFC 3986, section 3.2.2). */
export function isHostAndPort(text: string): boolean {
  const match = HOST_AND_PORT.exec(text);
  if (match === null) return false;
  const [, ipv6, port] = match;
  if (port !== undefined && Number(port) > 65_535) return false;
  return ipv6 === undefined || URL.canParse(`http://[${ipv6}]`);
}

/**
 * Check the field Host: one in HTTP/1.1, and always a host and a port or nothing (RFC 9112, section
 * 3.2).
 *
 * @throws {JackfieldError} `HTTP_BAD_REQUEST`.
 */
export function checkHost(host: string | undefined, minorVersion: 0 | 1): void {
  if (host === undefined) {
    if (minorVersion === 0) return;
    throw badHead("HTTP_BAD_REQUEST", "field Host is missing");
  }
  if (host === "" || isHostAndPort(host)) return;
  throw badHead("HTTP_BAD_REQUEST", `bad Host "${shorten(host)}"`);
}
