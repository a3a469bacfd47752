import type { FileFacts } from "../../transport/mod.ts";

/** The part of the runtimes' exact facts that is used. */
export interface ExactStats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly nlink: bigint;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
}

/** The facts of `node:fs`, with the numbers that may be large kept exact. */
export function factsOf(stats: ExactStats): FileFacts {
  const mode = Number(stats.mode);
  return {
    size: Number(stats.size),
    modifiedMs: Number(stats.mtimeNs / 1000n) / 1000, // A number cannot hold so many nanoseconds.
    kind: kindOf(mode),
    device: stats.dev,
    inode: stats.ino,
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
    links: Number(stats.nlink),
    mode,
    userId: Number(stats.uid),
    groupId: Number(stats.gid),
  };
}

/** What the type bits of a mode say (inode(7)); the runtimes give the same bits on Windows. */
export function kindOf(mode: number): FileFacts["kind"] {
  switch (mode & 0o170000) {
    case 0o100000:
      return "file";
    case 0o040000:
      return "directory";
    case 0o120000:
      return "link";
    default:
      return "other";
  }
}
