import { statfs } from "node:fs/promises";

interface DenoLike {
  readonly permissions: {
    querySync(
      permission: { readonly name: "sys"; readonly kind: "statfs" },
    ): { readonly state: string };
  };
}

/**
 * Make sure that the file system of a path has room for so many bytes more, as far as that is known:
 * others write too, and Deno tells only with `--allow-sys=statfs`, for which nobody is asked.
 *
 * @throws {Error} With the system's code ENOSPC.
 */
export async function assertRoom(path: string, neededBytes: number): Promise<void> {
  if (neededBytes <= 0) return;
  const freeBytes = await freeSpaceOf(path);
  if (freeBytes === undefined || neededBytes <= freeBytes) return;
  const message = `the disk has ${freeBytes} bytes free, ${neededBytes} are needed`;
  throw Object.assign(new Error(message), { code: "ENOSPC" });
}

/** How many bytes an ordinary user may still write; `undefined` when the system does not say. */
async function freeSpaceOf(path: string): Promise<number | undefined> {
  const { Deno } = globalThis as unknown as { readonly Deno?: DenoLike };
  if (Deno !== undefined) {
    const { state } = Deno.permissions.querySync({ name: "sys", kind: "statfs" });
    if (state !== "granted") return undefined;
  }
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return undefined; // Some file systems have no such figures.
  }
}
