import { assertPort, type Host } from "../transport/mod.ts";

/** A range of ports, both ends included. */
export interface PortRange {
  /** The first port, 1 to 65535. */
  readonly from: number;
  /** The last port. */
  readonly to: number;
}

/** The ports that a table may use, and who said so. */
export interface PortPlan extends PortRange {
  /** The table's option, the system's settings, or neither of them. */
  readonly source: "option" | "system" | "default";
  /** Ports of the range that the system keeps for others (ip_local_reserved_ports). */
  readonly reserved: readonly PortRange[];
}

/** The range that Linux uses by default (ip(7), ip_local_port_range). */
export const DEFAULT_PORTS: PortRange = { from: 32_768, to: 60_999 };

/**
 * The ports for a table: those of its option, else the system's where they may be read, else
 * {@linkcode DEFAULT_PORTS}.
 *
 * @throws {RangeError} When the option is no range of ports.
 */
export function planPorts(option: PortRange | undefined, host: Host): PortPlan {
  if (option !== undefined) assertPortRange(option);
  const system = host.localPorts?.();
  const { from, to } = option ?? system ?? DEFAULT_PORTS;
  const reserved = (system?.reserved ?? []).filter((part) => part.from <= to && part.to >= from);
  const source = option !== undefined ? "option" : system !== undefined ? "system" : "default";
  return { from, to, source, reserved };
}

/** Throw a `RangeError` that names the value, unless it is a range of ports. */
export function assertPortRange(range: PortRange): void {
  assertPort(range.from, "ports.from");
  assertPort(range.to, "ports.to");
  if (range.from < 1 || range.to < range.from) {
    throw new RangeError(
      `Cannot use ports "${range.from}-${range.to}": expected 1 to 65535, first to last`,
    );
  }
}
