const EXACT = /^[1-9]\d{0,2}(\.(0|[1-9]\d{0,2})){3}$/;

/**
 * Whether the kernel would write a hostname as it stands here, so that it need not be asked: an
 * IPv4 address of one host. A name, a wildcard or IPv6, which has many ways of writing, is no such.
 */
export function isExact(hostname: string): boolean {
  return EXACT.test(hostname);
}
