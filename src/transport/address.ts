/** One end of a connection, as a plain value. */
export interface SocketAddress {
  /** An IP literal without brackets; empty for a Unix socket. */
  readonly hostname: string;
  /** 0 to 65535; 0 for a Unix socket. */
  readonly port: number;
  /** The path of a Unix socket; a leading NUL character marks Linux's abstract namespace. */
  readonly path?: string;
}

/** Write an address as `127.0.0.1:80`, `[::1]:80` or `unix:/path`. */
export function formatAddress(address: SocketAddress | { readonly path: string }): string {
  if (address.path !== undefined) return `unix:${address.path.replace("\0", "@")}`;
  const { hostname, port } = address as SocketAddress;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/**
 * Read `127.0.0.1:80`, `[::1]:80` or `name:80`.
 *
 * @throws {TypeError} When the text has no port, or a bare IPv6 address without brackets.
 * @throws {RangeError} When the port is outside 0 to 65535.
 */
export function parseAddress(text: string): SocketAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  if (match === null) {
    throw new TypeError(`Cannot read address "${text}": expected HOST:PORT or [IPV6]:PORT`);
  }
  const port = Number(match[3]);
  assertPort(port);
  return { hostname: match[1] ?? match[2]!, port };
}

/** Throw a `RangeError` that names the value, unless it is a port number from 0 to 65535. */
export function assertPort(port: number, name: string = "port"): void {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`Cannot use ${name} "${port}": expected an integer from 0 to 65535`);
  }
}

/**
 * `4` or `6` when the text looks like an IP literal, else `0` (a host name).
 *
 * It only tells literals from names: no valid host name consists of four numbers or holds a colon
 * (RFC 1123 section 2.1). The runtime's own parser has the last word on validity.
 */
export function ipVersion(hostname: string): 0 | 4 | 6 {
  if (hostname.includes(":")) return 6;
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(hostname) ? 4 : 0;
}

/** `[::1]` becomes `::1`; everything else stays as it is. */
export function withoutBrackets(hostname: string): string {
  return hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname;
}

/**
 * Whether two texts name the same IP address, however they are written.
 *
 * The URL parser (WHATWG URL, section 3.5) brings both into one normal form; an IPv4-mapped IPv6
 * address equals the IPv4 address in it.
 */
export function sameIp(a: string, b: string): boolean {
  return a === b || normalIp(a) === normalIp(b);
}

function normalIp(hostname: string): string {
  if (ipVersion(hostname) !== 6) return hostname;
  const zoneless = hostname.split("%", 1)[0]!;
  if (!URL.canParse(`http://[${zoneless}]`)) return hostname;
  const normal = new URL(`http://[${zoneless}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(normal);
  if (mapped === null) return normal;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
