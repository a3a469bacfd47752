import type { SocketAddress } from "../../transport/mod.ts";

/**
 * What is used of the context of a Hono handler. Every version of Hono 4 has it, from whichever
 * registry, and none is loaded for it.
 */
export interface HonoContext {
  /** The request. */
  readonly req: {
    /** The path of the route that is being run, such as `/admin/*`. */
    readonly routePath: string;
    /** The request as the server gave it. */
    readonly raw: Request;
  };
  /** What the server says of the connection. */
  readonly env: unknown;
  /** What a middleware before has left. */
  get(key: string): unknown;
  /** Leave something for who comes after. */
  set(key: string, value: unknown): void;
}

/** What servers say of the far end, each in its own words; none has all of them. */
interface Connections {
  /** `Deno.serve`. */
  readonly remoteAddr?: { readonly hostname?: string; readonly port?: number };
  /** `Bun.serve`. */
  requestIP?(request: Request): { readonly address: string; readonly port: number } | null;
  /** `@hono/node-server`. */
  readonly incoming?: {
    readonly socket?: { readonly remoteAddress?: string; readonly remotePort?: number };
  };
}

/** What the server gave; some put it into a field of its own. */
export function bindingsOf(env: unknown): object {
  const { server } = (env ?? {}) as { readonly server?: unknown };
  const bindings = server ?? env;
  return typeof bindings === "object" && bindings !== null ? bindings : {};
}

/** The far end of the connection that a request came on; without a name where nobody says it. */
export function remoteAddressOf({ env, req }: HonoContext): SocketAddress {
  const bindings = bindingsOf(env) as Connections;
  const { remoteAddr, incoming } = bindings;
  const far = bindings.requestIP?.(req.raw);
  return {
    hostname: remoteAddr?.hostname ?? far?.address ?? incoming?.socket?.remoteAddress ?? "",
    port: remoteAddr?.port ?? far?.port ?? incoming?.socket?.remotePort ?? 0,
  };
}
