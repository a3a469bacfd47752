import { bitsOf, familyOfIp, type IpFamily, ipFromNumber, ipToNumber, normalIp } from "./ip.ts";

/** Addresses that follow each other: one, a range, or what a CIDR block offers to hosts. */
export interface AddressBlock {
  /** How it was written, in normal form. */
  readonly text: string;
  /** 4 or 6. */
  readonly family: IpFamily;
  /** The first address as a number. */
  readonly first: bigint;
  /** How many there are; a /64 has 2^64, so they are never written down. */
  readonly count: bigint;
}

/**
 * Read an IP literal, a range (`10.0.0.1-10.0.0.20`) or a CIDR block (`127.0.1.0/28`).
 *
 * Of a block its hosts' addresses count: in IPv4 neither the network's own nor the broadcast address
 * (RFC 1122, section 3.2.1.3), in IPv6 not the first one, which means every router (RFC 4291, section
 * 2.6.1). Blocks of one or two addresses count as a whole (RFC 3021, RFC 6164).
 *
 * @throws {TypeError} When it is none of these; the message shows the text.
 */
export function parseBlock(text: string): AddressBlock {
  if (text.includes("/")) return parseCidr(text);
  const dash = text.indexOf("-");
  if (dash >= 0) return parseRange(text, text.slice(0, dash).trim(), text.slice(dash + 1).trim());
  const hostname = normalIp(text);
  return { text: hostname, family: familyOfIp(hostname), first: ipToNumber(hostname), count: 1n };
}

/** The address at a place of the block, from 0 on. */
export function addressAt(block: AddressBlock, place: bigint): string {
  return ipFromNumber(block.first + place, block.family);
}

/** Whether two blocks have an address in common. */
export function overlap(one: AddressBlock, other: AddressBlock): boolean {
  return one.family === other.family && one.first < other.first + other.count &&
    other.first < one.first + one.count;
}

function parseRange(text: string, from: string, to: string): AddressBlock {
  const [low, high] = [normalIp(from), normalIp(to)];
  const family = familyOfIp(low);
  const [first, last] = [ipToNumber(low), ipToNumber(high)];
  if (familyOfIp(high) !== family || last < first) {
    throw new TypeError(
      `Cannot use addresses "${text}": expected FIRST-LAST of one family, first to last`,
    );
  }
  return { text: `${low}-${high}`, family, first, count: last - first + 1n };
}

function parseCidr(text: string): AddressBlock {
  const [, base = "", length = ""] = /^(.*)\/(\d{1,3})$/.exec(text) ?? [];
  if (length === "") {
    throw new TypeError(`Cannot use addresses "${text}": expected ADDRESS/PREFIX-LENGTH`);
  }
  const network = normalIp(base);
  const family = familyOfIp(network);
  const hostBits = bitsOf(family) - Number(length);
  if (hostBits < 0) {
    throw new TypeError(
      `Cannot use addresses "${text}": expected a prefix length up to ${bitsOf(family)}`,
    );
  }
  const first = ipToNumber(network);
  const count = 1n << BigInt(hostBits);
  const start = first - first % count;
  if (start !== first) {
    const meant = `${ipFromNumber(start, family)}/${length}`;
    throw new TypeError(
      `Cannot use addresses "${text}": expected the block's first address, "${meant}"`,
    );
  }
  const name = `${network}/${Number(length)}`;
  if (hostBits < 2) return { text: name, family, first, count };
  return { text: name, family, first: first + 1n, count: count - (family === 4 ? 2n : 1n) };
}
