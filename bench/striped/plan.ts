/** A network to measure in. */
export interface Network {
  readonly name: string;
  /** TCP's congestion control; that of the machine without it. */
  readonly congestion?: string;
  /** The rates of the links between client and server, in Mbit/s; none for loopback. */
  readonly links: readonly number[];
  /** How many sockets to stripe over, 0 for one bare socket on the first link. */
  readonly sockets: readonly number[];
  /** Bytes of one transfer, behind a smaller one that warms up. */
  readonly bytes: number;
}

const MIB = 2 ** 20;

/** What is measured, in this order. */
export const NETWORKS: readonly Network[] = [
  { name: "reno", congestion: "reno", links: [], sockets: [0, 1, 2, 4, 8], bytes: 1024 * MIB },
  { name: "default", links: [], sockets: [0, 1, 2, 4, 8], bytes: 1024 * MIB },
  { name: "one100", links: [100], sockets: [0], bytes: 32 * MIB },
  { name: "one25", links: [25], sockets: [0], bytes: 12 * MIB },
  { name: "even", links: [100, 100, 100, 100], sockets: [4], bytes: 192 * MIB },
  { name: "uneven", links: [100, 100, 100, 25], sockets: [4], bytes: 160 * MIB },
];
