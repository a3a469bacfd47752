import { denoGlobal } from "../../src/adapters/deno/runtime.ts";
import { connSide } from "./conn_side.ts";
import type { Side } from "./side.ts";

const HOSTNAME = "127.0.0.1";

/** `Deno.listen` and `Deno.connect`, with nothing around them. */
export function denoSide(): Side {
  const deno = denoGlobal();
  return connSide("Deno.listen, Deno.connect", {
    listen() {
      const listener = deno.listen({ hostname: HOSTNAME, port: 0 });
      return Promise.resolve({
        port: (listener.addr as { port: number }).port,
        async accept() {
          const conn = await listener.accept();
          conn.setNoDelay(true);
          return conn;
        },
        close: () => listener.close(),
      });
    },
    async connect(port) {
      const conn = await deno.connect({ hostname: HOSTNAME, port });
      conn.setNoDelay(true);
      return conn;
    },
  });
}
