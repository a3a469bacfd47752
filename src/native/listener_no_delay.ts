import { provideListenerNoDelay } from "../adapters/deno/listener_no_delay.ts";
import { sameIp, type SocketAddress } from "../transport/mod.ts";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  SO_ACCEPTCONN,
  SOCKADDR,
  SOL_SOCKET,
  TCP_NODELAY,
} from "./layouts.ts";
import type { Libc } from "./libc.ts";

/** The kernel gives the lowest free number, so that a listener stands behind what is open already. */
const MAX_DESCRIPTOR = 65_536;

/** Have TLS listeners of Deno set TCP_NODELAY from now on. */
export function provideNoDelay(libc: Libc): void {
  provideListenerNoDelay((address) => {
    const descriptor = listenerAt(libc, address);
    return descriptor >= 0 &&
      libc.setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, number(1), 4) === 0;
  });
}

/** The descriptor of the listener that is bound to an address; -1 when there is none. */
function listenerAt(libc: Libc, { hostname, port }: SocketAddress): number {
  const name = new Uint8Array(SOCKADDR.bytes);
  const length = number(0);
  for (let descriptor = 0; descriptor < MAX_DESCRIPTOR; descriptor++) {
    length.set(number(SOCKADDR.bytes));
    if (libc.getsockname(descriptor, name, length) !== 0) continue;
    const at = addressIn(name);
    if (at === undefined || at.port !== port || !sameIp(at.hostname, hostname)) continue;
    if (isListening(libc, descriptor)) return descriptor; // What it accepted has the same address.
  }
  return -1;
}

/** What a sockaddr_in or a sockaddr_in6 says (ip(7), ipv6(7)); of other families nothing. */
function addressIn(name: Uint8Array<ArrayBuffer>): SocketAddress | undefined {
  const view = new DataView(name.buffer);
  const family = view.getUint16(SOCKADDR.family, true);
  const port = view.getUint16(SOCKADDR.port);
  if (family === AF_INET) {
    return { hostname: name.subarray(SOCKADDR.ipv4, SOCKADDR.ipv4 + 4).join("."), port };
  }
  if (family !== AF_INET6) return undefined;
  const groups = Array.from(
    { length: 8 },
    (_, index) => view.getUint16(SOCKADDR.ipv6 + 2 * index).toString(16),
  );
  return { hostname: groups.join(":"), port };
}

function isListening(libc: Libc, descriptor: number): boolean {
  const value = number(0);
  const result = libc.getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, value, number(4));
  return result === 0 && value[0] === 1;
}

/** An int of C. */
function number(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Int32Array.of(value).buffer);
}
