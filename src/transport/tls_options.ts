/** How to secure a connection that is opened from here. */
export interface TlsConnectOptions {
  /**
   * The name that the peer's certificate must carry, and that is sent as server name (RFC 6066).
   *
   * @default {the target's hostname}
   */
  readonly serverName?: string;
  /** Certificates, in PEM, of authorities that are trusted. */
  readonly caCerts?: readonly string[];
  /** Application protocols to offer, best first (RFC 7301). */
  readonly alpnProtocols?: readonly string[];
}

/** How to secure the connections that a listener accepts. */
export interface TlsListenOptions {
  /** The certificate chain, in PEM. */
  readonly cert: string;
  /** The private key, in PEM. */
  readonly key: string;
  /** Application protocols to accept, best first (RFC 7301). */
  readonly alpnProtocols?: readonly string[];
}
