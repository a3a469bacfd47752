import type {
  ConnectOptions,
  Contexts,
  Listener,
  ListenOptions,
  Socket,
  SocketAddress,
  Target,
  Transport,
} from "../../../src/core.ts";
import { systemContexts } from "../../../src/adapters/shared/system_contexts.ts";
import {
  type MemoryFault,
  type MemoryOperation,
  type MemoryTransport,
  memoryTransport,
  seededFaults,
} from "../../../src/testing/mod.ts";
import type { Dice } from "../../support/seeds.ts";
import { Connection, FarEnd } from "./connection.ts";
import type { ModelClock } from "./model_clock.ts";

// In Node 22 each variable that was ever used makes every promise dearer.
const variable = systemContexts.create<unknown>();
const contexts = { create: () => variable } as Contexts;

/** What a target does with who connects. */
export const BEHAVIOURS = [
  "accept",
  "refuse",
  "stall",
  "slow",
  "reset",
  "hang up",
  "greet",
] as const;

/** One of them. */
export type Behaviour = typeof BEHAVIOURS[number];

/**
 * A network in memory with moody targets, which counts what the pool holds: a connect from its call
 * on, and one that was given up until it says that it holds nothing any more.
 */
export class ModelNetwork implements Transport {
  readonly name = "model";
  readonly capabilities: Transport["capabilities"];
  readonly host: Transport["host"];
  readonly memory: MemoryTransport;
  /** Where the targets are. */
  readonly addresses: SocketAddress[] = [];
  /** What each of them does now. */
  readonly behaviours: Behaviour[] = [];
  /** Connects on the way or given up, for each target. */
  readonly flying: number[] = [];
  /** What the pool has, or had a moment ago. */
  connections: Connection[] = [];
  /** How many connects there were, for each target. */
  readonly connects: number[] = [];
  /** Told before each connect of the pool. */
  connecting: (target: number) => void = () => {};
  #clock: ModelClock;
  #dice: Dice;
  #behaviour: Behaviour = "accept";
  /** The other ends, by the port of the pool's end. */
  #far = new Map<number, FarEnd>();
  /** Ports of ends that were gone before the other one was accepted. */
  #gone = new Set<number>();
  #listeners: Listener[] = [];
  #accepting: Promise<void>[] = [];

  /** Nobody listens yet. */
  constructor(clock: ModelClock, dice: Dice, seed: number) {
    this.#clock = clock;
    this.#dice = dice;
    const others = seededFaults({ seed, read: 0.03, write: 0.03, delay: 0.2, maxDelayMs: 3 });
    const faults = (operation: MemoryOperation) =>
      operation === "connect" ? this.#connectFault() : others(operation);
    this.memory = memoryTransport({ clock, faults, host: { contexts } });
    this.capabilities = { ...this.memory.capabilities, cancelConnect: false };
    this.host = this.memory.host;
  }

  /** Open so many targets, and a place for connections that are made elsewhere. */
  async start(targets: number): Promise<void> {
    for (let index = 0; index <= targets; index++) {
      const listener = await this.memory.listen();
      this.#listeners.push(listener);
      this.addresses.push(listener.address);
      this.behaviours.push("accept");
      this.flying.push(0);
      this.connects.push(0);
      this.#accepting.push(this.#accept(listener, index));
    }
  }

  /** End everything, the far ends included. */
  async stop(): Promise<void> {
    for (const listener of this.#listeners) await listener.close();
    await Promise.all(this.#accepting);
    for (const { socket } of this.#far.values()) socket.abort();
  }

  /** What the pool holds of one target, or in all; added ones have the target -1. */
  held(target?: number): number {
    let held = 0;
    for (let index = 0; index < this.flying.length; index++) {
      if (target === undefined || target === index) held += this.flying[index]!;
    }
    let over = 0;
    for (const connection of this.connections) {
      if (!connection.isOpen) over += connection.isCounted ? 0 : 1;
      else if (target === undefined || connection.target === target) held++;
    }
    if (over > 8) {
      this.connections = this.connections.filter((one) => one.isOpen || one.isCounted);
    }
    return held;
  }

  /** The connection that has this address, as an object. */
  find(localAddress: SocketAddress): Connection | undefined {
    return this.connections.find(({ socket }) => socket.localAddress === localAddress);
  }

  /** The other end of a connection. */
  farOf({ socket }: Connection): FarEnd | undefined {
    return this.#far.get(socket.localAddress.port);
  }

  async connect(target: Target, options: ConnectOptions = {}): Promise<Socket> {
    const port = (target as { port: number }).port;
    const index = this.addresses.findIndex((address) => address.port === port);
    this.connecting(index);
    this.connects[index]!++;
    this.flying[index]!++;
    this.#behaviour = this.behaviours[index]!;
    const lingerMs = this.#dice.below(10) < 3 ? 1 + this.#dice.below(20) : 0;
    const release = (): void => {
      this.flying[index]!--;
      options.onReleased?.();
    };
    const onReleased = (): void => {
      if (lingerMs === 0) release();
      else this.#clock.schedule(lingerMs, release); // A descriptor that outlives its connect.
    };
    const socket = await this.memory.connect(target, { ...options, onReleased });
    this.flying[index]!--;
    this.#watch(socket);
    this.connections.push(new Connection(socket, index));
    return socket;
  }

  /** A connection that the pool knows nothing of. */
  async connectElsewhere(): Promise<Connection> {
    this.#behaviour = "accept";
    const { hostname, port } = this.addresses.at(-1)!;
    const socket = await this.memory.connect({ hostname, port });
    this.#watch(socket);
    return new Connection(socket, -1);
  }

  listen(options?: ListenOptions): Promise<Listener> {
    return this.memory.listen(options);
  }

  #connectFault(): MemoryFault | undefined {
    switch (this.#behaviour) {
      case "refuse":
        return { kind: "fail" };
      case "stall":
        return { kind: "delay", delayMs: 1e9 };
      case "slow":
        return { kind: "delay", delayMs: 1 + this.#dice.below(6) };
      default:
        return this.#dice.below(30) === 0 ? { kind: "fail" } : undefined;
    }
  }

  /** The far end goes when the near one has gone. */
  #watch(socket: Socket): void {
    const { port } = socket.localAddress;
    const gone = () => {
      const far = this.#far.get(port);
      if (far === undefined) this.#gone.add(port);
      this.#far.delete(port);
      far?.socket.abort();
    };
    socket.closed.then(gone, gone);
  }

  async #accept(listener: Listener, index: number): Promise<void> {
    for await (const socket of listener) {
      const { port } = socket.remoteAddress;
      if (this.#gone.delete(port)) {
        socket.abort();
        continue;
      }
      const far = new FarEnd(socket, this.#clock);
      this.#far.set(port, far);
      switch (this.behaviours[index]) {
        case "reset":
          far.disturb("reset");
          break;
        case "hang up":
          far.disturb("close");
          break;
        case "greet":
          far.disturb("write");
      }
    }
  }
}
