// The part of `cloudflare:sockets` that the adapter touches, written down here so that no consumer
// needs the types of Workers.

/** What is known of a connection that stands. */
export interface WorkerdSocketInfo {
  /** `HOST:PORT`; the name as it was asked for. */
  readonly remoteAddress?: string | null;
  /** `HOST:PORT`; workerd leaves it out. */
  readonly localAddress?: string | null;
}

/** A TCP connection of Workers. */
export interface WorkerdSocket {
  /** Bytes from the peer. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Bytes to the peer. */
  readonly writable: WritableStream<Uint8Array>;
  /** Settles when the connection stands, or cannot be made. */
  readonly opened: Promise<WorkerdSocketInfo>;
  /** Settles when the connection is over. */
  readonly closed: Promise<void>;
  /** Closes both directions. */
  close(): Promise<void>;
  /** Puts TLS on the connection; both streams must be unlocked. */
  startTls(options?: { readonly expectedServerHostname?: string }): WorkerdSocket;
}

/** `connect` of `cloudflare:sockets`. */
export type WorkerdConnect = (
  address: { readonly hostname: string; readonly port: number },
  options: {
    readonly allowHalfOpen: boolean;
    readonly secureTransport: "on" | "off" | "starttls";
  },
) => WorkerdSocket;
