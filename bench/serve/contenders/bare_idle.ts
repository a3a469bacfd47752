// Holds connections and does nothing else: what a connection costs in this runtime at least. One read
// of each is pending, as in every server that waits for a request.
import { bunGlobal } from "../../../src/adapters/bun/runtime.ts";
import { denoGlobal } from "../../../src/adapters/deno/runtime.ts";
import { sayPort } from "./plan.ts";
import { bun } from "./runtimes.ts";

const where = { hostname: "127.0.0.1", port: 0 };
const held = new Set<unknown>();

if (bun !== undefined) {
  const { port } = bunGlobal().listen({
    ...where,
    socket: {
      open: (socket) => void held.add(socket),
      data: () => {},
      close: (socket) => void held.delete(socket),
    },
  });
  sayPort(port!);
} else {
  const listener = denoGlobal().listen(where);
  sayPort((listener.addr as { readonly port: number }).port);
  const scratch = new Uint8Array(1024); // Of all: what is read goes nowhere.
  for (;;) {
    const conn = await listener.accept();
    held.add(conn);
    void (async () => {
      try {
        while (await conn.read(scratch) !== null);
      } catch {
        // The client has reset it.
      }
      held.delete(conn);
      conn.close();
    })();
  }
}
