import { readPlan, sayPort } from "./plan.ts";
import { bun, deno, type Handler } from "./runtimes.ts";

/** Serve with the server of the runtime that this is. */
export function serveWith(handler: Handler): void {
  const { tls } = readPlan();
  const hostname = "127.0.0.1";
  if (bun !== undefined) sayPort(bun.serve({ hostname, port: 0, tls, fetch: handler }).port);
  else {
    const onListen = ({ port }: { readonly port: number }): void => sayPort(port);
    deno!.serve({ hostname, port: 0, ...tls, onListen }, handler);
  }
}
