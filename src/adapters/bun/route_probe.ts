import { createSocket } from "node:dgram";
import { ipVersion, type SocketAddress } from "../../transport/mod.ts";

/**
 * Whether no route leads to an address: Bun says ECONNREFUSED of that, too.
 *
 * A datagram socket that is connected sends nothing; the kernel only looks for a route, and fails
 * where there is none. A neighbour that does not answer stays `refused`: for that there is a route.
 */
export function lacksRoute(address: SocketAddress, localAddress?: string): Promise<boolean> {
  const version = ipVersion(address.hostname);
  if (version === 0) return Promise.resolve(false); // A name: several addresses were tried.
  return new Promise((resolve) => {
    const socket = createSocket(version === 6 ? "udp6" : "udp4");
    const end = (lacks: boolean) => {
      resolve(lacks);
      try {
        socket.close();
      } catch {
        // It has closed by itself.
      }
    };
    const connect = () =>
      socket.connect(address.port, address.hostname, (error?: Error) => end(!!error));
    socket.on("error", () => end(false));
    try {
      if (localAddress === undefined) connect();
      else socket.bind(0, localAddress, connect);
    } catch {
      end(false);
    }
  });
}
