import type { MemoryFault, MemoryFaults, MemoryOperation } from "./faults.ts";

/** One entry of a script of faults: plain data, which survives `JSON.stringify`. */
export interface ScriptedFault {
  /** What goes wrong. */
  readonly operation: MemoryOperation;
  /** Which one of its kind, in all of the network, from 0. */
  readonly number: number;
  /** How it goes wrong. */
  readonly fault: MemoryFault;
}

/**
 * The faults that a script names, and no others.
 *
 * @example The second connect is refused, the first connection is cut off after 100 bytes
 * ```ts
 * import { memoryTransport, scriptedFaults } from "@jackfield/jackfield/testing";
 *
 * const faults = scriptedFaults([
 *   { operation: "connect", number: 0, fault: { kind: "reset", afterBytes: 100 } },
 *   { operation: "connect", number: 1, fault: { kind: "fail" } },
 * ]);
 * const network = memoryTransport({ faults });
 * const listener = await network.listen();
 * const socket = await network.connect(listener.address);
 * const code = await network.connect(listener.address).catch((error) => error.code);
 * if (code !== "CONNECT_FAILED") throw new Error("unexpected");
 * socket.abort();
 * await listener.close();
 * ```
 */
export function scriptedFaults(script: readonly ScriptedFault[]): MemoryFaults {
  const faults = new Map(script.map(({ operation, number, fault }) => [
    `${operation} ${number}`,
    fault,
  ]));
  const next = countOperations();
  return (operation) => faults.get(`${operation} ${next(operation)}`);
}

/** Faults, and the script of those that have happened. */
export interface RecordedFaults {
  /** For the network. */
  readonly faults: MemoryFaults;
  /** Grows with each one; `scriptedFaults` makes them happen again. */
  readonly script: readonly ScriptedFault[];
}

/** Note the faults that happen, so that they can be kept, made fewer and replayed. */
export function recordedFaults(faults: MemoryFaults): RecordedFaults {
  const script: ScriptedFault[] = [];
  const next = countOperations();
  return {
    script,
    faults(operation) {
      const number = next(operation);
      const fault = faults(operation);
      if (fault !== undefined) script.push({ operation, number, fault });
      return fault;
    },
  };
}

function countOperations(): (operation: MemoryOperation) => number {
  const counts = { connect: 0, accept: 0, read: 0, write: 0 };
  return (operation) => counts[operation]++;
}
