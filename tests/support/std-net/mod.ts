// Local stand-in for the part of @std/net 1.x that the tests use, for places where JSR is out of
// reach. The real one works in Deno only; this one also serves Bun and Node.
import { createServer } from "node:net";

/** Options of {@linkcode getAvailablePort}. */
export interface GetAvailablePortOptions {
  /** The port to take if it is free. */
  preferredPort?: number;
}

interface DenoListen {
  listen(options: { port: number }): { addr: { port?: number }; close(): void };
}

/**
 * Get a TCP port that was free a moment ago.
 *
 * @param options which port is preferred
 * @returns the preferred port if it is free, otherwise another free one
 */
export function getAvailablePort(options?: GetAvailablePortOptions): number {
  const preferred = options?.preferredPort;
  const port = preferred === undefined ? undefined : probe(preferred);
  const free = port ?? probe(0);
  if (free === undefined) throw new Error("Cannot find a free port");
  return free;
}

/** Listen on `port` for an instant; `undefined` if it is taken. */
function probe(port: number): number | undefined {
  const deno = (globalThis as unknown as { Deno?: DenoListen }).Deno;
  return deno === undefined ? probeNode(port) : probeDeno(deno, port);
}

function probeDeno(deno: DenoListen, port: number): number | undefined {
  try {
    const listener = deno.listen({ port });
    listener.close();
    return listener.addr.port;
  } catch (error) {
    if (error instanceof Error && error.name === "AddrInUse") return undefined;
    throw error;
  }
}

function probeNode(port: number): number | undefined {
  // A taken port shows as a missing address now and as an "error" event later.
  const server = createServer().on("error", () => {}).listen(port);
  const address = server.address();
  server.close();
  return address === null || typeof address === "string" ? undefined : address.port;
}
