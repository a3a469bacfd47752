import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connectionError } from "../core.ts";

/** Answers a request. */
export type FetchHandler = (request: Request) => Promise<Response>;

/** A server that runs. */
export interface FetchServer {
  /** What the kernel bound. */
  readonly port: number;
  /** End it when the answers that are on their way have arrived, within a second. */
  close(): Promise<void>;
}

interface Runtimes {
  readonly Deno?: {
    serve(
      options: { hostname: string; port: number; signal: AbortSignal; onListen(): void },
      handler: FetchHandler,
    ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
  };
  readonly Bun?: {
    serve(options: { hostname: string; port: number; fetch: FetchHandler }): {
      readonly port: number;
      stop(closeConnections?: boolean): Promise<void>;
    };
  };
}

/** How long answers may take to arrive. */
const CLOSE_MS = 1000;
/** Bodies are small here; what is longer is cut off, and does not parse. */
const MAX_BODY_BYTES = 128 * 1024;

/**
 * Serve a fetch handler with the server that the runtime has.
 *
 * @throws {JackfieldError} `LISTEN_FAILED`.
 */
export async function serveFetch(
  handler: FetchHandler,
  address: { readonly hostname: string; readonly port: number },
): Promise<FetchServer> {
  const { Deno: deno, Bun: bun } = globalThis as unknown as Runtimes;
  try {
    if (deno !== undefined) {
      const stop = new AbortController();
      const { signal } = stop;
      const server = deno.serve({ ...address, signal, onListen: () => {} }, handler);
      return {
        port: server.addr.port,
        close: () => soon(server.shutdown(), () => stop.abort()),
      };
    }
    if (bun !== undefined) {
      const server = bun.serve({ ...address, fetch: handler });
      return { port: server.port, close: () => soon(server.stop(), () => server.stop(true)) };
    }
    return await serveInNode(handler, address);
  } catch (cause) {
    throw connectionError("listen", address, cause);
  }
}

/** Wait for an end, and after a while bring it about. */
async function soon(ended: Promise<unknown>, end: () => unknown): Promise<void> {
  const timer = setTimeout(end, CLOSE_MS);
  await ended;
  clearTimeout(timer);
}

function serveInNode(
  handler: FetchHandler,
  { hostname, port }: { readonly hostname: string; readonly port: number },
): Promise<FetchServer> {
  const server = createServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch(() => outgoing.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          soon(new Promise((closed) => server.close(closed)), () => server.closeAllConnections()),
      });
    });
  });
}

async function answer(
  handler: FetchHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method = "GET", url = "/" } = incoming;
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? await readBody(incoming) : undefined;
  // Put together, not resolved: a path that begins with two slashes would name another host.
  const path = url.startsWith("/") ? url : "/";
  const request = new Request(`http://${incoming.headers.host ?? "localhost"}${path}`, {
    method,
    headers,
    body,
  });
  const response = await handler(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(await response.text());
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  let text = "";
  incoming.setEncoding("utf8");
  for await (const chunk of incoming) {
    if (text.length < MAX_BODY_BYTES) text += chunk;
  }
  return text;
}
