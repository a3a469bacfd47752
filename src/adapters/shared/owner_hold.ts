import { createServer, type Server } from "node:net";
import { osCodeOf, permissionDenied } from "../../transport/mod.ts";

/** What an owner of an added address holds: until it ends, however it ends. */
export interface OwnerHold {
  /** Let go. */
  release(): Promise<void>;
}

interface DenoLike {
  readonly permissions: {
    querySync(permission: { readonly name: "net" }): { readonly state: string };
  };
}

/** Abstract names of Linux (unix(7)): no file, and freed by the kernel when their owner ends. */
const PREFIX = "\0jackfield/added/";

/**
 * Hold the name of an address that was added; `undefined` when somebody in the same network
 * namespace holds it, who is therefore alive.
 *
 * @throws {JackfieldError} `PERMISSION_DENIED` in Deno without `--allow-net`.
 */
export function holdOwnership(hostname: string): Promise<OwnerHold | undefined> {
  const { Deno } = globalThis as unknown as { readonly Deno?: DenoLike };
  if (Deno !== undefined && Deno.permissions.querySync({ name: "net" }).state !== "granted") {
    // Deno has no way to permit one such name alone.
    throw permissionDenied("assign", "--allow-net", { words: `own the address ${hostname}` });
  }
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error) => {
      if (osCodeOf(error) === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen({ path: `${PREFIX}${hostname}` }, () => {
      server.unref(); // It keeps no program alive.
      resolve({ release: () => close(server) });
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}
