// Hono apps behind the servers that there are: @hono/node-server everywhere, and the runtime's own.
import { serve } from "@hono/node-server";
import type { AddressInfo } from "node:net";
import type { SocketAddress } from "../../../mod.ts";
import { Client, Folder } from "../../download/tools.ts";

type Fetch = (request: Request, env?: unknown) => Response | Promise<Response>;

/** What a test with a server works with. */
export interface Served {
  /** Where it listens. */
  readonly address: SocketAddress;
  /** A new connection. */
  connect(): Promise<Client>;
  /** The same over `fetch`. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

interface Own {
  Deno?: {
    serve(
      options: { hostname: string; port: number; onListen(): void },
      fetch: Fetch,
    ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
  };
  Bun?: {
    serve(options: { hostname: string; port: number; fetch: Fetch }): {
      readonly port: number;
      stop(now: boolean): Promise<void>;
    };
  };
}

const { Deno: deno, Bun: bun } = globalThis as unknown as Own;

/** The servers that can be had here. */
export const SERVERS: readonly ("node-server" | "own")[] = deno || bun
  ? ["node-server", "own"]
  : ["node-server"];

/** Run with an app behind a server; connections and server are closed afterwards. */
export async function behind(
  kind: "node-server" | "own",
  app: { fetch: Fetch },
  run: (served: Served) => Promise<void>,
): Promise<void> {
  const { port, close } = kind === "own" ? own(app.fetch) : await nodeServer(app.fetch);
  const address = { hostname: "127.0.0.1", port };
  const clients: Client[] = [];
  try {
    await run({
      address,
      connect: async () => {
        const client = await Client.connect(address);
        clients.push(client);
        return client;
      },
      fetch: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init),
    });
  } finally {
    for (const client of clients) client.socket.abort();
    await close();
  }
}

/** Run with a folder that is removed afterwards. */
export async function withFolder(run: (folder: Folder) => Promise<void>): Promise<void> {
  const folder = new Folder();
  try {
    await run(folder);
  } finally {
    folder.remove();
  }
}

interface Running {
  readonly port: number;
  close(): Promise<void>;
}

function own(fetch: Fetch): Running {
  const hostname = "127.0.0.1";
  if (deno !== undefined) {
    const server = deno.serve({ hostname, port: 0, onListen: () => {} }, fetch);
    return { port: server.addr.port, close: () => server.shutdown() };
  }
  const server = bun!.serve({ hostname, port: 0, fetch });
  return { port: server.port, close: () => server.stop(true) };
}

async function nodeServer(fetch: Fetch): Promise<Running> {
  const server = serve({
    fetch,
    overrideGlobalObjects: false, // The runtime's own server wants the runtime's own responses.
    hostname: "127.0.0.1",
    port: 0,
  });
  if (server.address() === null) await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: async () => {
      // Node asks the process that has a socket by now; that alone does not keep a program running.
      const timer = setInterval(() => {}, 1000);
      await new Promise<void>((done) => server.close(() => done()));
      clearInterval(timer);
    },
  };
}
