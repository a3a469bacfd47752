import { rm } from "node:fs/promises";

/** Remove the file of a Unix socket that no longer listens; it may be gone already. */
export async function removeSocketFile(path: string): Promise<void> {
  if (path.startsWith("\0")) return; // The abstract namespace has no files.
  await rm(path, { force: true });
}
