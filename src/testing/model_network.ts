import {
  type MemoryFault,
  type MemoryOperation,
  type MemoryTransport,
  memoryTransport,
} from "../adapters/memory/mod.ts";
import type {
  ConnectOptions,
  Listener,
  ListenOptions,
  Socket,
  SocketAddress,
  Target,
  Transport,
} from "../transport/mod.ts";
import type { Dice } from "./dice.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** What becomes of who connects. */
export type NetworkMood = "well" | "refuse" | "hang" | "slow" | "break off";

const MOODS: readonly NetworkMood[] = ["refuse", "hang", "slow", "break off"];

/** A network in memory with a server that echoes, and that may be in a bad mood. */
export class ModelNetwork implements Transport {
  readonly name = "model";
  readonly capabilities: Transport["capabilities"];
  readonly host: Transport["host"];
  readonly memory: MemoryTransport;
  /** What it does with who connects from now on. */
  mood: NetworkMood = "well";
  /** Whether anything has ever gone wrong with a connect. */
  hasFailed = false;
  #clock: VirtualClock;
  #dice: Dice;
  #listener: Listener | undefined;
  /** The server's ends. */
  #ends = new Set<Socket>();

  /** Nobody listens yet. */
  constructor(clock: VirtualClock, dice: Dice) {
    this.#clock = clock;
    this.#dice = dice;
    this.memory = memoryTransport({ clock, faults: (operation) => this.#fault(operation) });
    this.capabilities = { ...this.memory.capabilities, cancelConnect: false };
    this.host = this.memory.host;
  }

  /** A connect that is given up may hold its descriptor for a while, as in some runtimes. */
  connect(target: Target, options: ConnectOptions = {}): Promise<Socket> {
    const lingerMs = this.#dice.below(3) === 0 ? 1 + this.#dice.below(50) : 0;
    const released = () => options.onReleased?.();
    const onReleased = () => {
      if (lingerMs === 0) released();
      else this.#clock.schedule(lingerMs, released);
    };
    return this.memory.connect(target, { ...options, onReleased });
  }

  listen(options?: ListenOptions): Promise<Listener> {
    return this.memory.listen(options);
  }

  /** Listen; gives where. */
  async start(): Promise<SocketAddress> {
    this.#listener = await this.memory.listen();
    void this.#serve(this.#listener);
    return this.#listener.address;
  }

  /** Stop listening, and end what is left. */
  async stop(): Promise<void> {
    await this.#listener?.close();
    for (const end of this.#ends) end.abort();
  }

  /** Draw another mood; says which. */
  changeMood(): string {
    this.mood = this.#dice.below(2) === 0 ? "well" : this.#dice.oneOf(MOODS);
    return `network: ${this.mood}`;
  }

  /** Do something to a connection that nobody asked for; says what. */
  disturb(): string {
    if (this.#ends.size === 0) return "nothing";
    const end = this.#dice.oneOf([...this.#ends]);
    const how = this.#dice.oneOf(["reset", "close", "half-close"] as const);
    if (how === "reset") end.abort();
    else if (how === "close") void end.close();
    else end.closeWrite().catch(() => {});
    return `the server's ${how}`;
  }

  #fault(operation: MemoryOperation): MemoryFault | undefined {
    if (operation === "connect") return this.#connectFault();
    if (operation === "accept") return undefined;
    switch (this.#dice.below(8)) {
      case 0:
        return { kind: "delay", delayMs: this.#dice.below(5) };
      case 1:
        return { kind: "short", maxBytes: 1 + this.#dice.below(3) };
      default:
        return undefined;
    }
  }

  #connectFault(): MemoryFault | undefined {
    if (this.mood === "well") return { kind: "delay", delayMs: this.#dice.below(3) };
    if (this.mood === "slow") return { kind: "delay", delayMs: this.#dice.below(60) };
    this.hasFailed = true;
    if (this.mood === "refuse") return { kind: "fail" };
    if (this.mood === "hang") return { kind: "hang" };
    return { kind: this.#dice.oneOf(["reset", "end"]), afterBytes: 1 + this.#dice.below(20) };
  }

  async #serve(listener: Listener): Promise<void> {
    for await (const socket of listener) void this.#echo(socket);
  }

  async #echo(socket: Socket): Promise<void> {
    this.#ends.add(socket);
    const buffer = new Uint8Array(64);
    try {
      for (let count = await socket.read(buffer); count !== null;) {
        await socket.write(buffer.subarray(0, count));
        count = await socket.read(buffer);
      }
      await socket.close();
    } catch {
      socket.abort();
    } finally {
      this.#ends.delete(socket);
    }
  }
}
