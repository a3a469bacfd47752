import type { Strategy } from "../strategy/mod.ts";
import {
  type Clock,
  type OnError,
  type Target,
  type Transport,
  unsupported,
} from "../transport/mod.ts";
import type { AddressRequest } from "./address_choice.ts";
import type { AddressSource } from "./address_source.ts";
import type { AssignPlan } from "./assignment.ts";
import type { AddressCandidate } from "./candidate.ts";
import type { RestRule } from "./failure.ts";
import type { PortRange } from "./port_range.ts";

/** Options of {@linkcode AddressTable}. */
export interface AddressTableOptions {
  /** Where the sockets come from. */
  readonly transport: Transport;
  /** Where the addresses come from. */
  readonly source: AddressSource;
  /**
   * Chooses the address of a new descriptor. An address may be chosen as long as it is not full, and
   * rests for nobody who asks; choosing it again is what makes it shared.
   *
   * @default {roundRobin()}
   */
  readonly strategy?: Strategy<AddressCandidate, AddressRequest>;
  /**
   * Give each descriptor an address of its own, which no other table of this host, in whatever
   * process, has at the same time. Linux only.
   *
   * @default {false}
   */
  readonly exclusive?: boolean;
  /**
   * The most descriptors on one address.
   *
   * @default {no limit, or 1 with `exclusive`}
   */
  readonly maxSocketsPerAddress?: number;
  /**
   * The most addresses in use at once, of a source that chooses them by itself: a large block, or a
   * server. While there are fewer, each new descriptor gets one more; then they are shared.
   *
   * @default {256, or no limit with `exclusive`}
   */
  readonly maxAddresses?: number;
  /**
   * The local ports that may be used; those that the system keeps for others are left alone.
   *
   * @default {the system's range where it may be read (in Deno with --allow-all), else 32768 to 60999}
   */
  readonly ports?: PortRange;
  /**
   * The most descriptors at once.
   *
   * @default {65_536}
   */
  readonly maxDescriptors?: number;
  /**
   * How long an address rests for a target after a failed connect.
   *
   * @default {restAfterFailure}
   */
  readonly restAfter?: RestRule;
  /**
   * How long an address rests between its last descriptor and the next one, in milliseconds.
   *
   * @default {0}
   */
  readonly reuseRestMs?: number;
  /**
   * How long a port rests for a destination when the kernel says that it is in use there.
   *
   * @default {60_000}
   */
  readonly portRestMs?: number;
  /**
   * How long before the end of its lease an address serves no new descriptor.
   *
   * @default {1000}
   */
  readonly drainMs?: number;
  /**
   * Add each leased address to an interface, and remove it when it is given back. Linux only; needs
   * the right to configure interfaces (CAP_NET_ADMIN), in Deno `--allow-run=ip`.
   *
   * @default {addresses are expected to be on the host}
   */
  readonly assign?: AssignPlan;
  /** Told of failures that nobody waits for: to renew a lease, or to give one back. */
  readonly onError?: OnError;
  /**
   * Measures leases and rests.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
  /**
   * Gives numbers from 0 to below 1: where in the range the search for a port begins.
   *
   * @default {Math.random}
   */
  readonly random?: () => number;
}

/** Options of {@linkcode AddressTable.create}. */
export interface CreateOptions {
  /** Where the socket will lead to: only an address that can, and does not rest for it, will do. */
  readonly target?: Target;
  /** Gives up waiting for an address. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode AddressTable.bind}. */
export interface BindOptions {
  /**
   * The port, 1 to 65535; it may lie outside of the table's range.
   *
   * @default {one that is free for every destination}
   */
  readonly port?: number;
}

/** Refuse what cannot work, and show the value. */
export function checkTableOptions(options: AddressTableOptions): void {
  const { transport, assign, exclusive = false } = options;
  if (!transport.capabilities.localAddress) {
    throw unsupported("AddressTable", `the ${transport.name} transport has no localAddress`);
  }
  if (exclusive && !(transport.capabilities.listen && transport.capabilities.unix)) {
    throw unsupported("exclusive addresses", `the ${transport.name} transport has no Unix sockets`);
  }
  if (assign !== undefined && transport.host.interfaces === undefined) {
    throw unsupported("assign", `the host of ${transport.name} cannot change interfaces`);
  }
  for (const name of ["maxDescriptors", "maxAddresses", "maxSocketsPerAddress"] as const) {
    const value = options[name];
    if (value !== undefined && !(value >= 1)) {
      throw new RangeError(`Cannot use ${name} "${value}": expected at least 1`);
    }
  }
  for (const name of ["reuseRestMs", "portRestMs", "drainMs"] as const) {
    const value = options[name];
    if (value !== undefined && !(value >= 0 && value < Infinity)) {
      throw new RangeError(`Cannot use ${name} "${value}": expected 0 or more milliseconds`);
    }
  }
  if (exclusive && (options.maxSocketsPerAddress ?? 1) !== 1) {
    throw new TypeError(
      `Cannot use maxSocketsPerAddress "${options.maxSocketsPerAddress}" with exclusive: expected 1`,
    );
  }
  if (assign?.interface === "") {
    throw new TypeError('Cannot use interface "": expected a name, such as "eth0"');
  }
  if (assign?.validMs !== undefined && !(assign.validMs >= 1000 && assign.validMs < Infinity)) {
    throw new RangeError(`Cannot use validMs "${assign.validMs}": expected 1000 or more`);
  }
}

/** Tells `onError`, whose own failure must not disturb the table. */
export function reporterOf(
  onError: OnError | undefined,
): (error: unknown, stage: string) => void {
  return (error, stage) => {
    try {
      onError?.(error, { stage });
    } catch {
      // Nobody is left to be told.
    }
  };
}
