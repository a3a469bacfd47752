import { readFileSync } from "node:fs";
import { cpus, platform, release, totalmem } from "node:os";

/** What the figures were measured on. */
export interface Machine {
  /** The processor's name. */
  readonly cpu: string;
  /** How many processors the system offers. */
  readonly cores: number;
  /** Memory in GiB. */
  readonly memoryGiB: number;
  /** The system and the kernel's release. */
  readonly kernel: string;
  /** TCP's congestion control, which bulk ratios depend on. */
  readonly congestionControl: string;
}

/** Look at this machine. */
export function readMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${platform()} ${release()}`,
    congestionControl: read("/proc/sys/net/ipv4/tcp_congestion_control") ?? "unknown",
  };
}

/** The machine in one line. */
export function describeMachine(machine: Machine): string {
  const { cpu, cores, memoryGiB, kernel, congestionControl } = machine;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB; ${kernel}; TCP ${congestionControl}`;
}

/** The words of a file, where the system has it. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
