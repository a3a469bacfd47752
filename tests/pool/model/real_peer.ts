import type { Listener, Socket, Transport } from "../../../src/core.ts";
import type { Dice } from "../../support/seeds.ts";
import { sleep } from "../../transport/tools.ts";

/** What a peer does with what it is sent. */
export type PeerMood = "echo" | "stall" | "reset" | "hang up";

/** What it sends unasked; no token looks like it. */
export const NOISE = 0xee;

/** A peer on real sockets that echoes, until it is told to do something else. */
export class RealPeer {
  readonly hostname: string;
  readonly port: number;
  mood: PeerMood = "echo";
  /** Its ends of connections. */
  readonly sockets: Set<Socket> = new Set();
  #transport: Transport;
  #listener: Listener | undefined;
  #serving: Promise<void>;
  #echoes: Promise<void>[] = [];

  private constructor(transport: Transport, listener: Listener) {
    this.#transport = transport;
    this.#listener = listener;
    this.hostname = listener.address.hostname;
    this.port = listener.address.port;
    this.#serving = this.#serve(listener);
  }

  /** A peer that listens. */
  static async start(transport: Transport): Promise<RealPeer> {
    return new RealPeer(transport, await transport.listen());
  }

  /** Whether it listens. */
  get isListening(): boolean {
    return this.#listener !== undefined;
  }

  /** Refuse who connects from now on. */
  async refuse(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
    await this.#serving;
  }

  /** Listen again. */
  async listenAgain(): Promise<void> {
    const { hostname, port } = this;
    for (let tries = 0; this.#listener === undefined; tries++) {
      try {
        this.#listener = await this.#transport.listen({ hostname, port });
      } catch (error) {
        if (tries > 100) throw error;
        await sleep(10); // A connect of this very test may have the port.
      }
    }
    this.#serving = this.#serve(this.#listener);
  }

  /** Do something to one connection that its other end did not ask for. */
  disturb(dice: Dice): void {
    if (this.sockets.size === 0) return;
    const socket = dice.oneOf([...this.sockets]);
    switch (dice.below(4)) {
      case 0:
        return socket.abort();
      case 1:
        return void socket.close();
      case 2:
        return void socket.closeWrite().catch(() => {});
      default:
        socket.write(new Uint8Array(5).fill(NOISE)).catch(() => {});
    }
  }

  /** End it all. */
  async end(): Promise<void> {
    await this.refuse();
    for (const socket of this.sockets) socket.abort();
    await Promise.all(this.#echoes);
  }

  async #serve(listener: Listener): Promise<void> {
    for await (const socket of listener) {
      if (this.mood === "reset") socket.abort();
      else if (this.mood === "hang up") void socket.close();
      else this.#echoes.push(this.#echo(socket));
    }
  }

  async #echo(socket: Socket): Promise<void> {
    const buffer = new Uint8Array(256);
    this.sockets.add(socket);
    try {
      for (;;) {
        const count = await socket.read(buffer);
        if (count === null) break;
        if (this.mood !== "stall") await socket.write(buffer.subarray(0, count));
      }
      await socket.close();
    } catch {
      socket.abort();
    } finally {
      this.sockets.delete(socket);
    }
  }
}
