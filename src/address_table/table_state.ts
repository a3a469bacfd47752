import type { Clock } from "../transport/mod.ts";
import type { Candidate } from "./candidate.ts";
import type { DestinationPorts } from "./port_table.ts";
import type { PortPlan } from "./port_range.ts";
import type { AddressRest } from "./rests.ts";
import type { TableParts } from "./table_parts.ts";

/** One address of a table that is not merely free. */
export interface AddressState {
  /** The IP literal. */
  readonly hostname: string;
  /**
   * `leased`; `draining` near the end of its lease, or while it is given back; `resting` before it
   * is used again.
   */
  readonly state: "leased" | "draining" | "resting";
  /** Who has it. */
  readonly descriptors: readonly number[];
  /** Milliseconds until its lease ends, where it does. */
  readonly expiresInMs?: number;
  /** Who has its lease, in the words of the source, where it says so. */
  readonly owner?: string;
  /** The fencing token of its lease, where there is one. */
  readonly token?: string;
}

/** What a table has and does, as plain data. */
export interface AddressTableState {
  /** The name of the source. */
  readonly source: string;
  /** How many addresses the source can lease in all; rounded beyond 2^53. */
  readonly leaseable: number;
  /** Whether each descriptor has an address of its own. */
  readonly exclusive: boolean;
  /** The addresses that are leased, or rest before they are used again. */
  readonly addresses: readonly AddressState[];
  /** The local ports. */
  readonly ports: {
    /** The first port. */
    readonly from: number;
    /** The last port. */
    readonly to: number;
    /** Who said so: the table's option, the system's settings, or neither of them. */
    readonly source: PortPlan["source"];
    /** How many of them the system keeps for others. */
    readonly reserved: number;
    /** How many are in use, over all addresses and destinations. */
    readonly used: number;
    /** How many rest because the kernel refused them. */
    readonly resting: number;
  };
  /** The ports in use, for each address and destination. */
  readonly destinations: readonly DestinationPorts[];
  /** Which addresses rest for which targets, and why. */
  readonly rests: readonly AddressRest[];
}

/** What the parts of a table have and do. */
export function tableState(parts: TableParts): AddressTableState {
  const { source, exclusive, plan, stock, ports, clock, rests } = parts;
  const { size: used, resting, reserved } = ports;
  return {
    source: source.name,
    leaseable: source.size,
    exclusive,
    addresses: [
      ...stock.candidates.map((candidate) => stateOf(candidate, clock)),
      ...stock.resting.map((hostname): AddressState => ({
        hostname,
        state: "resting",
        descriptors: [],
      })),
    ],
    ports: { from: plan.from, to: plan.to, source: plan.source, reserved, used, resting },
    destinations: ports.state(),
    rests: rests.state(),
  };
}

function stateOf({ hostname, tenure, isEnding, users }: Candidate, clock: Clock): AddressState {
  const isDraining = isEnding || tenure?.isDraining === true;
  const endsAtMs = tenure?.endsAtMs ?? Infinity;
  const { owner, token } = tenure?.lease ?? {};
  return {
    hostname,
    state: isDraining ? "draining" : "leased",
    descriptors: [...users].map(({ descriptor }) => descriptor),
    ...(endsAtMs === Infinity ? {} : { expiresInMs: Math.max(0, endsAtMs - clock.now()) }),
    ...(owner === undefined ? {} : { owner }),
    ...(token === undefined ? {} : { token }),
  };
}
