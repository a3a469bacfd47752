import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Memory of processes, in bytes. */
export interface Memory {
  /** What of them is in memory: VmRSS. */
  readonly rssBytes: number;
  /** Of these, what is neither a file nor shared: RssAnon. */
  readonly anonBytes: number;
}

/** A process and all of its descendants. */
export function familyOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(fieldsOf(Number(name))?.[1]);
    children.set(parent, [...children.get(parent) ?? [], Number(name)]);
  }
  const family = [pid];
  for (const member of family) family.push(...children.get(member) ?? []);
  return family;
}

/** The memory of processes together. */
export function memoryOf(pids: readonly number[]): Memory {
  const sum = { rssBytes: 0, anonBytes: 0 };
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const bytes = (name: string): number =>
      1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
    sum.rssBytes += bytes("VmRSS");
    sum.anonBytes += bytes("RssAnon");
  }
  return sum;
}

/** Seconds of processor time, user and system, that processes have used so far. */
export function cpuSecondsOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = fieldsOf(pid);
    if (fields !== undefined) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100; // USER_HZ, which Linux shows everybody
}

/** How many descriptors processes have, and how many of them are on one file. */
export function descriptorsOf(
  pids: readonly number[],
  path: string,
): { readonly all: number; readonly onFile: number } {
  let all = 0;
  let onFile = 0;
  for (const pid of pids) {
    for (const name of readdirSync(`/proc/${pid}/fd`)) {
      all++;
      try {
        if (readlinkSync(`/proc/${pid}/fd/${name}`) === path) onFile++;
      } catch {
        all--; // It was closed meanwhile.
      }
    }
  }
  return { all, onFile };
}

/** What the kernel's TCP holds for the whole machine, in bytes: the buffers of all sockets. */
export function tcpBytes(): number {
  const text = readFileSync("/proc/net/sockstat", "utf8");
  return 4096 * Number(/^TCP:.* mem (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** The fields of /proc/PID/stat behind the name, which may have spaces: first the state. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // It has ended.
  }
}
