import { addressAt, type AddressBlock, overlap, parseBlock } from "./address_block.ts";
import type { AddressLease, AddressLeaseRequest, AddressSource } from "./address_source.ts";

/** Up to so many addresses are written down; of more, some are drawn. */
const MAX_LISTED = 4096n;

/** How many neighbours of a drawn address are looked at when it is of no use. */
const MAX_STEPS = 65_536n;

/** Nothing has to be told when an address of a list is given back. */
const release = (): void => {};

/** Addresses that were named: literals, ranges and CIDR blocks. */
export class ListedAddresses implements AddressSource {
  readonly name: string;
  readonly size: number;
  /** All of them in the order of the list; empty when there are more than 4,096. */
  readonly addresses: readonly string[];
  #blocks: readonly AddressBlock[];
  #random: () => number;

  /** Reads the list; `random` draws addresses where they are too many to be written down. */
  constructor(list: readonly string[], random: () => number) {
    if (list.length === 0) throw new TypeError("Cannot use an empty list of addresses");
    const blocks = list.map(parseBlock);
    refuseTwice(blocks);
    const count = blocks.reduce((sum, block) => sum + block.count, 0n);
    this.#blocks = blocks;
    this.#random = random;
    this.name = nameOf(blocks);
    this.size = Number(count);
    this.addresses = count > MAX_LISTED ? [] : blocks.flatMap(write);
  }

  lease({ hostname, family, isUnusable }: AddressLeaseRequest): AddressLease | undefined {
    if (hostname !== undefined) return { hostname, release };
    const blocks = family === undefined
      ? this.#blocks
      : this.#blocks.filter((block) => block.family === family);
    const start = Math.floor(this.#random() * blocks.length);
    for (let at = 0; at < blocks.length; at++) {
      const found = this.#draw(blocks[(start + at) % blocks.length]!, isUnusable);
      if (found !== undefined) return { hostname: found, release };
    }
    return undefined;
  }

  /** Any address of a block, or the next one after it that is of use. */
  #draw(
    block: AddressBlock,
    isUnusable: (hostname: string) => boolean,
  ): string | undefined {
    const start = this.#below(block.count);
    const steps = block.count < MAX_STEPS ? block.count : MAX_STEPS;
    for (let step = 0n; step < steps; step++) {
      const hostname = addressAt(block, (start + step) % block.count);
      if (!isUnusable(hostname)) return hostname;
    }
    return undefined;
  }

  /** A number from 0 to below `count`, from as many draws of 32 bits as it takes. */
  #below(count: bigint): bigint {
    let [drawn, bound] = [0n, 1n];
    while (bound < count << 32n) {
      drawn = drawn << 32n | BigInt(Math.floor(this.#random() * 2 ** 32));
      bound <<= 32n;
    }
    return drawn % count;
  }
}

function write(block: AddressBlock): string[] {
  return Array.from({ length: Number(block.count) }, (_, at) => addressAt(block, BigInt(at)));
}

/** Blocks in order overlap with their neighbours, if with any. */
function refuseTwice(blocks: readonly AddressBlock[]): void {
  const sorted = blocks.toSorted((a, b) =>
    a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0)
  );
  for (const [at, block] of sorted.entries()) {
    const before = sorted[at - 1];
    if (before === undefined || !overlap(before, block)) continue;
    const twice = before.text === block.text ? "" : `, also as "${before.text}"`;
    throw new TypeError(`Cannot use address "${block.text}": it is listed twice${twice}`);
  }
}

function nameOf(blocks: readonly AddressBlock[]): string {
  const names = blocks.map(({ text }) => text);
  return names.length <= 4
    ? names.join(", ")
    : `${names.slice(0, 3).join(", ")}, … ${names.length}`;
}
