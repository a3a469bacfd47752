import { roundRobin } from "../strategy/mod.ts";
import { type Clock, systemClock } from "../transport/mod.ts";
import type { AddressSource } from "./address_source.ts";
import { AddressStock } from "./address_stock.ts";
import { Connector } from "./connector.ts";
import { Descriptors } from "./descriptors.ts";
import { restAfterFailure } from "./failure.ts";
import { planPorts, type PortPlan } from "./port_range.ts";
import { PortTable } from "./port_table.ts";
import { Rests } from "./rests.ts";
import { type AddressTableOptions, checkTableOptions, reporterOf } from "./table_options.ts";

/** What a table is made of. */
export interface TableParts {
  /** Where the addresses come from. */
  readonly source: AddressSource;
  /** Whether each descriptor has an address of its own. */
  readonly exclusive: boolean;
  /** Measures leases and rests. */
  readonly clock: Clock;
  /** The addresses. */
  readonly stock: AddressStock;
  /** Who has which address. */
  readonly descriptors: Descriptors;
  /** The ports that may be used. */
  readonly plan: PortPlan;
  /** The ports that are in use. */
  readonly ports: PortTable;
  /** Which addresses rest for which targets. */
  readonly rests: Rests;
  /** Connects. */
  readonly connector: Connector;
}

/** Check a table's options, fill in what is left to choice, and put the parts together. */
export function assembleTable(options: AddressTableOptions): TableParts {
  checkTableOptions(options);
  const {
    transport,
    source,
    strategy = roundRobin(),
    exclusive = false,
    maxSocketsPerAddress = exclusive ? 1 : Infinity,
    maxAddresses = exclusive ? Infinity : 256,
    maxDescriptors = 65_536,
    restAfter = restAfterFailure,
    reuseRestMs = 0,
    portRestMs: restMs,
    drainMs = 1000,
    assign,
    clock = systemClock,
    random,
  } = options;
  const report = reporterOf(options.onError);
  const rests = new Rests(clock);
  const plan = planPorts(options.ports, transport.host);
  const ports = new PortTable(plan, { random, clock, restMs });
  const stock = new AddressStock(
    { transport, source, clock, exclusive, assign, drainMs, report },
    { strategy, rests, maxAddresses, maxSocketsPerAddress, reuseRestMs },
  );
  const descriptors = new Descriptors(stock, maxDescriptors, report);
  const keepsHandedOff = exclusive || assign !== undefined;
  const connector = new Connector({
    transport,
    ports,
    descriptors,
    rests,
    restAfter,
    keepsHandedOff,
  });
  return { source, exclusive, clock, stock, descriptors, plan, ports, rests, connector };
}
