// A transport whose connections can be ended and held at any moment.
import type { Socket, Target, Transport } from "../../../src/core.ts";
import { type ConnectOptions, JackfieldError } from "../../../src/transport/mod.ts";

/** Sockets that can be ended and held. */
export class Weather {
  /** What connects through it. */
  readonly transport: Transport;
  /** Those that stand. */
  readonly sockets: FragileSocket[] = [];
  /** Says before each connect whether it fails. */
  refuses: () => boolean = () => false;

  /** Over another transport. */
  constructor(transport: Transport) {
    this.transport = {
      name: transport.name,
      capabilities: transport.capabilities,
      host: transport.host,
      listen: (options) => transport.listen(options),
      connect: async (target: Target, options?: ConnectOptions) => {
        if (this.refuses()) {
          throw new JackfieldError("CONNECT_FAILED", "Cannot connect: bad weather");
        }
        const socket = new FragileSocket(await transport.connect(target, options));
        this.sockets.push(socket);
        void socket.inner.closed.catch(() => {}).then(() => {
          this.sockets.splice(this.sockets.indexOf(socket), 1);
        });
        return socket as unknown as Socket;
      },
    };
  }
}

/** A socket on which nothing moves while it is held. */
export class FragileSocket {
  /** The one underneath. */
  readonly inner: Socket;
  #holding: PromiseWithResolvers<void> | undefined;

  constructor(inner: Socket) {
    this.inner = inner;
  }

  /** Whether it is held. */
  get isHeld(): boolean {
    return this.#holding !== undefined;
  }

  /** Let nothing pass. */
  hold(): void {
    this.#holding ??= Promise.withResolvers();
  }

  /** Let pass what was held. */
  release(): void {
    this.#holding?.resolve();
    this.#holding = undefined;
  }

  get localAddress(): Socket["localAddress"] {
    return this.inner.localAddress;
  }

  get remoteAddress(): Socket["remoteAddress"] {
    return this.inner.remoteAddress;
  }

  get state(): Socket["state"] {
    return this.inner.state;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const count = await this.inner.read(into);
    await this.#holding?.promise;
    return count;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#pass(() => this.inner.write(bytes));
  }

  closeWrite(): Promise<void> {
    return this.#pass(() => this.inner.closeWrite());
  }

  close(): Promise<void> {
    this.release();
    return this.inner.close();
  }

  abort(reason?: unknown): void {
    this.inner.abort(reason);
    this.release();
  }

  /** Within the call, like any other socket, unless it is held. */
  #pass<T>(call: () => Promise<T>): Promise<T> {
    return this.#holding === undefined ? call() : this.#holding.promise.then(call);
  }
}
