import { systemTransport } from "../../src/system_transport.ts";
import { connSide } from "./conn_side.ts";
import type { Side } from "./side.ts";

const HOSTNAME = "127.0.0.1";

/** The library's transport of this runtime. */
export function ours(): Side {
  const transport = systemTransport();
  return connSide(`${transport.name} transport`, {
    async listen() {
      const listener = await transport.listen({ hostname: HOSTNAME, port: 0 });
      return {
        port: listener.address.port,
        accept: () => listener.accept(),
        close: () => listener.close(),
      };
    },
    connect: (port) => transport.connect({ hostname: HOSTNAME, port }),
  });
}
