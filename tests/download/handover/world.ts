// Two processes in one program: a kernel with one listening socket and copies of connections, the
// channel between them, and deaths at any moment.
import {
  type Clock,
  copyListener,
  createListener,
  type DownloadServer,
  type Host,
  type LinkReceiver,
  type Listener,
  type ListenerDriver,
  type OwnerEnd,
  type ParkedConnection,
  serveDownloads,
  type ServeDownloadsOptions,
  type Socket,
  type SocketAddress,
  type StartedSuccessor,
  type SuccessionLink,
  type Transport,
} from "../../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../../src/testing/mod.ts";
import { FakeKernel } from "../../handoff/fake_owners.ts";
import type { MemoryFiles } from "../memory_files.ts";

/** The two processes. */
export type Side = "old" | "new";

interface Packet {
  readonly message: unknown;
  readonly connection?: ParkedConnection;
  readonly listener?: boolean;
}

interface Waiter {
  readonly side: Side;
  resolve(socket: Socket): void;
  reject(error: unknown): void;
}

/** The kernel, the processes and the network around them. */
export class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly kernel: FakeKernel = new FakeKernel();
  /** Packets on their way to each process. */
  readonly arriving: Record<Side, Packet[]> = { old: [], new: [] };
  /** What has died. */
  readonly dead: Set<Side> = new Set();
  /** The words that each process has given to the system. */
  readonly said: Record<Side, string[]> = { old: [], new: [] };
  /** The new process's server. */
  successor: Promise<DownloadServer> | undefined;
  /** Called before each thing that happens on the channel. */
  moment: () => void = () => {};
  #network: ReturnType<typeof memoryTransport>;
  #listener!: Listener;
  #files: MemoryFiles;
  #options: Partial<ServeDownloadsOptions>;
  #receivers: Partial<Record<Side, LinkReceiver>> = {};
  #ends = { old: Promise.withResolvers<OwnerEnd>(), new: Promise.withResolvers<OwnerEnd>() };
  #backlog: Socket[] = [];
  #waiters: Waiter[] = [];

  constructor(files: MemoryFiles, options: Partial<ServeDownloadsOptions>) {
    this.#network = memoryTransport({ clock: this.clock, pipeBytes: 200 });
    this.#files = files;
    this.#options = options;
  }

  /** Start the old process. */
  async begin(): Promise<DownloadServer> {
    this.#listener = await this.#network.listen();
    void this.#accept();
    return await this.#serve("old", {
      files: this.#files,
      successors: { start: () => this.#start(), check: () => undefined },
    });
  }

  /** A new connection. */
  connect(): Promise<Socket> {
    return this.#network.connect(this.#listener.address);
  }

  /** Let something happen on the channel, on one side; whether there was anything. */
  step(side: Side): boolean {
    const packet = this.arriving[side].shift();
    if (packet === undefined) {
      if (this.dead.has(otherOf(side))) this.#ends[otherOf(side)].resolve({ reason: "failed" });
      return false;
    }
    if (this.dead.has(side)) return true;
    this.moment();
    if (this.dead.has(side)) return true;
    const { message, connection, listener } = packet;
    if (listener) this.#receivers[side]!.listener!(this.#listenerOf(side), message);
    else this.#receivers[side]!.message(message, connection);
    return true;
  }

  /** A process dies: the kernel closes what it has. */
  kill(side: Side): void {
    if (this.dead.has(side)) return;
    this.dead.add(side);
    this.kernel.bury(side);
    this.#waiters = this.#waiters.filter((waiter) => waiter.side !== side);
  }

  /** Nobody listens any more. */
  async end(): Promise<void> {
    for (const socket of this.#backlog) socket.abort();
    await this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const socket of this.#listener) {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#backlog.push(socket);
      else waiter.resolve(this.kernel.adopt(socket, waiter.side));
    }
  }

  #serve(side: Side, host: Host): Promise<DownloadServer> {
    const transport: Transport = {
      name: "memory",
      capabilities: { ...this.#network.capabilities, transferable: true },
      host,
      connect: () => Promise.reject(new Error("nobody connects from here")),
      listen: () => Promise.resolve(this.#listenerOf(side)),
    };
    return serveDownloads({
      transport,
      root: "/root",
      clock: this.#clockOf(side),
      upgradable: true,
      ...this.#options,
    });
  }

  /** The dead hear no alarm. */
  #clockOf(side: Side): Clock {
    return {
      now: () => this.clock.now(),
      schedule: (delayMs, act) => this.clock.schedule(delayMs, () => this.dead.has(side) || act()),
    };
  }

  #start(): StartedSuccessor {
    const predecessor: SuccessionLink = { ...this.#linkOf("new", "old"), pid: 1, leave: () => {} };
    this.successor = this.#serve("new", { files: this.#files, predecessor });
    this.successor.catch(() => {});
    return {
      ...this.#linkOf("old", "new"),
      pid: 2,
      leave: () => {},
      terminate: () => {
        this.kill("new");
        return this.#ends.new.promise;
      },
    };
  }

  #linkOf(side: Side, other: Side): Omit<StartedSuccessor, "pid" | "leave" | "terminate"> {
    const give = (packet: Packet): boolean => {
      if (this.dead.has(side)) return false;
      this.moment();
      if (this.dead.has(side)) return false;
      this.said[side].push((packet.message as { kind: string }).kind);
      if (this.dead.has(other)) packet.connection?.drop();
      else this.arriving[other].push(packet);
      return true;
    };
    return {
      kind: "process",
      ended: this.#ends[other].promise,
      receive: (receiver) => this.#receivers[side] = receiver,
      post: (message, told) => {
        const arrives = give({ message: structuredClone(message) });
        if (arrives) this.moment();
        if (!this.dead.has(side)) told?.(arrives);
      },
      carrier: {
        refusal: () => undefined,
        send: (message, parked) => {
          const connection = this.kernel.copyOf(parked.connection, other);
          if (!give({ message: structuredClone(message), connection })) connection.drop();
          return { withdraw: () => "unknown" };
        },
      },
      sendListener: async (listener, message) => {
        await copyListener(listener);
        give({ message, listener: true });
      },
    };
  }

  #listenerOf(side: Side): Listener {
    return createListener([new BacklogDriver(this, side, this.#listener.address)], {
      clock: this.clock,
    });
  }

  /** See {@linkcode BacklogDriver}. */
  take(waiter: Waiter): void {
    const socket = this.#backlog.shift();
    if (socket === undefined) this.#waiters.push(waiter);
    else waiter.resolve(this.kernel.adopt(socket, waiter.side));
  }

  /** See {@linkcode BacklogDriver}. */
  leave(side: Side): void {
    const leaving = this.#waiters.filter((waiter) => waiter.side === side);
    this.#waiters = this.#waiters.filter((waiter) => waiter.side !== side);
    for (const waiter of leaving) waiter.reject(new Error("closed"));
  }
}

/** A copy of the one listening socket: each connection goes to one of those who wait. */
class BacklogDriver implements ListenerDriver {
  readonly address: SocketAddress;
  #world: World;
  #side: Side;

  constructor(world: World, side: Side, address: SocketAddress) {
    this.#world = world;
    this.#side = side;
    this.address = address;
  }

  accept(): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    this.#world.take({ side: this.#side, resolve, reject });
    return promise;
  }

  close(): void {
    this.#world.leave(this.#side);
  }

  copy(): ReturnType<NonNullable<ListenerDriver["copy"]>> {
    const options = { noDelay: true, keepAlive: false };
    return Promise.resolve({ handle: this, options, drop: () => {} });
  }

  ref(): void {}

  unref(): void {}
}

function otherOf(side: Side): Side {
  return side === "old" ? "new" : "old";
}
