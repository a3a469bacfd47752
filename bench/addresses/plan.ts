/** What the client is told to do. */
export interface Plan {
  /** The server's port on 127.0.0.1. */
  readonly port: number;
  /** The local addresses. */
  readonly addresses: readonly string[];
  /** The local ports of each of them. */
  readonly ports: { readonly from: number; readonly to: number };
  /** How many connections are held at once. */
  readonly connections: number;
}

/** What the client found. */
export interface Report {
  /** The runtime and its version. */
  readonly version: string;
  /** How many connections were open at once. */
  readonly held: number;
  /** How many local addresses with port these had. */
  readonly tuples: number;
  /** How many of them each address had. */
  readonly perAddress: Readonly<Record<string, number>>;
  /** How many connections gave back the bytes that were written. */
  readonly echoed: number;
  /** Time to open all of them. */
  readonly connectMs: number;
  /** Time for a message to and fro on all of them. */
  readonly echoMs: number;
  /** Time to close all of them. */
  readonly closeMs: number;
  /** Memory of the process (RSS) for each connection that has not been used yet. */
  readonly bytesPerConnection: number;
  /** The same when each of them has carried bytes. */
  readonly bytesPerConnectionUsed: number;
}
