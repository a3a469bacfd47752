import { assertPort, ipVersion } from "./address.ts";
import { assertTimeout } from "./attempt.ts";
import { unsupported } from "./errors.ts";
import {
  addressOfTarget,
  type Capabilities,
  type ConnectOptions,
  type ListenOptions,
  type Target,
} from "./transport.ts";

/**
 * Refuse bad values, and options that a transport cannot honour, before anything is begun; whoever
 * counts descriptors learns that none is held.
 */
export function checkConnectOptions(
  transport: string,
  can: Capabilities,
  target: Target,
  options: ConnectOptions,
): void {
  try {
    check(transport, can, target, options);
  } catch (error) {
    options.onReleased?.();
    throw error;
  }
}

function check(
  transport: string,
  can: Capabilities,
  target: Target,
  options: ConnectOptions,
): void {
  const { localAddress, localPort, keepAlive, transferable, noDelay = true, timeoutMs } = options;
  if ("path" in target) {
    if (target.path === "") throw new TypeError('Cannot connect to path "": expected a path');
    need(can.unix, transport, "unix");
    for (const name of ["localAddress", "localPort", "noDelay", "keepAlive"] as const) {
      if (options[name] !== undefined) {
        throw new TypeError(`Cannot use ${name}: a Unix socket has no such option`);
      }
    }
  } else {
    if (target.hostname === "") {
      throw new TypeError('Cannot connect to hostname "": expected a name');
    }
    assertPort(target.port);
    if (target.port === 0) throw new RangeError('Cannot connect to port "0": expected 1 to 65535');
  }
  if (timeoutMs !== undefined) assertTimeout(timeoutMs);
  if (localAddress !== undefined) {
    need(can.localAddress, transport, "localAddress");
    if (ipVersion(localAddress) === 0) {
      throw new TypeError(`Cannot use localAddress "${localAddress}": expected an IP literal`);
    }
    const family = ipVersion(addressOfTarget(target).hostname);
    if (family !== 0 && family !== ipVersion(localAddress)) {
      throw new TypeError(
        `Cannot connect from ${localAddress} to ${addressOfTarget(target).hostname}: ` +
          "expected addresses of one family",
      );
    }
  }
  if (localPort !== undefined) {
    assertPort(localPort, "localPort");
    if (localAddress === undefined) {
      throw new TypeError("Cannot use localPort without localAddress");
    }
  }
  if (target.tls !== undefined && target.tls !== false) need(can.tls, transport, "tls");
  if (!noDelay) need(can.noDelay, transport, "noDelay: false");
  if (keepAlive) need(can.keepAlive, transport, "keepAlive");
  if (transferable) {
    need(can.transferable, transport, "transferable");
    if (target.tls) throw unsupported("transferable", "a TLS session cannot be handed off");
  }
}

/** The same for `listen`. */
export function checkListenOptions(
  transport: string,
  can: Capabilities,
  options: ListenOptions,
): void {
  need(can.listen, transport, "listen");
  const { path, port = 0, backlog, maxPending, noDelay = true } = options;
  if (path !== undefined) {
    need(can.unix, transport, "unix");
    if (path === "") throw new TypeError('Cannot listen on path "": expected a path');
    for (const name of ["hostname", "port", "reusePort", "noDelay", "keepAlive"] as const) {
      if (options[name] !== undefined) {
        throw new TypeError(`Cannot use ${name} together with path: a Unix socket has none`);
      }
    }
  }
  assertPort(port);
  if (options.hostname === "") throw new TypeError('Cannot listen on hostname "": expected a name');
  if (backlog !== undefined) {
    need(can.backlog, transport, "backlog");
    if (!Number.isInteger(backlog) || backlog < 1) {
      throw new RangeError(`Cannot use backlog "${backlog}": expected an integer of at least 1`);
    }
  }
  if (maxPending !== undefined && !(maxPending >= 1)) {
    throw new RangeError(`Cannot use maxPending "${maxPending}": expected at least 1`);
  }
  if (options.reusePort) need(can.reusePort, transport, "reusePort");
  if (options.tls !== undefined) {
    need(can.tlsListen, transport, "tls on a listener");
    if (options.noDelay) need(can.tlsListenNoDelay, transport, "noDelay on a TLS listener");
  }
  if (!noDelay) need(can.noDelay, transport, "noDelay: false");
  if (options.keepAlive) need(can.keepAlive, transport, "keepAlive");
  if (options.transferable) {
    need(can.transferable, transport, "transferable");
    if (options.tls) throw unsupported("transferable", "a TLS session cannot be handed off");
  }
}

function need(can: boolean, transport: string, feature: string): void {
  if (!can) throw unsupported(feature, `the ${transport} transport cannot do it`);
}
