import { readdirSync, readFileSync } from "node:fs";
import type { DescriptorUse } from "../../transport/mod.ts";
import { missing } from "./granted.ts";

/** What Linux tells of this process (proc_pid_limits(5), proc_pid_fd(5)). */
const LIMITS = "/proc/self/limits";
const OPEN = "/proc/self/fd";

/** See `Host.descriptorUse`. All three runtimes raise the soft limit to the hard one as they start. */
export function systemDescriptorUse(): DescriptorUse | undefined {
  for (const path of [LIMITS, OPEN]) {
    if (missing({ name: "read", path }, "stat", "count descriptors") !== undefined) {
      return undefined;
    }
  }
  try {
    const [, soft] = /^Max open files +(\S+)/m.exec(readFileSync(LIMITS, "utf8")) ?? [];
    if (soft === undefined) return undefined;
    // One is open because of the very look.
    return {
      limit: soft === "unlimited" ? Infinity : Number(soft),
      open: readdirSync(OPEN).length - 1,
    };
  } catch {
    // Not Linux, or Deno without --allow-all, which guards /proc beyond --allow-read.
    return undefined;
  }
}
