// Two owners in one program: a kernel that counts the copies of connections, and a link whose
// messages arrive one by one, when a test says so.
import {
  type ConnectionToken,
  createSocket,
  type Descriptors,
  detachSocket,
  type DriverWatcher,
  type LinkReceiver,
  type OwnerEnd,
  type OwnerLink,
  type ParkedConnection,
  type Passage,
  type ReadWaiter,
  type Socket,
  type SocketDriver,
} from "../../src/core.ts";

/** One connection and its copies. */
class Entry {
  readonly driver: SocketDriver;
  copies = new Set<Copy>();

  constructor(driver: SocketDriver) {
    this.driver = driver;
  }
}

/** One copy: parked, in use, or given back. */
class Copy {
  readonly entry: Entry;
  readonly holder: string;
  state: "parked" | "used" | "closed" = "parked";

  constructor(entry: Entry, holder: string) {
    this.entry = entry;
    this.holder = holder;
    entry.copies.add(this);
  }

  use(): void {
    if (this.state !== "parked") throw new Error(`a copy of ${this.holder} is ${this.state}`);
    for (const copy of this.entry.copies) {
      if (copy.state === "used") {
        throw new Error(`${this.holder} uses what ${copy.holder} uses`);
      }
    }
    this.state = "used";
  }

  close(): void {
    if (this.state === "closed") throw new Error(`a copy of ${this.holder} is closed twice`);
    this.state = "closed";
    this.entry.copies.delete(this);
    // The kernel ends a connection with its last copy.
    if (this.entry.copies.size === 0) this.entry.driver.abort();
  }
}

/** Counts who has what. */
export class FakeKernel {
  #entries: Entry[] = [];
  #tokens = new Map<ConnectionToken, Copy>();
  #lastToken = 0;
  #dead = new Set<string>();
  /** Called before a connection stands still. */
  onPark: (() => Promise<void>) | undefined;

  /** Put a socket of the memory transport under this kernel. */
  adopt(socket: Socket, holder: string): Socket {
    const { driver, ...facts } = detachSocket(socket);
    const entry = new Entry(driver);
    this.#entries.push(entry);
    const copy = new Copy(entry, holder);
    copy.use();
    return createSocket(this.#drive(copy), facts);
  }

  /** How many copies there are of all connections. */
  get copies(): number {
    return this.#entries.reduce((sum, { copies }) => sum + copies.size, 0);
  }

  /** How many connections have a copy. */
  get connections(): number {
    return this.#entries.filter(({ copies }) => copies.size > 0).length;
  }

  /** How many connections somebody uses. */
  get inUse(): number {
    const used = ({ copies }: Entry) => [...copies].some(({ state }) => state === "used");
    return this.#entries.filter(used).length;
  }

  /** Another copy of what is parked, which `holder` gets. */
  copyOf(connection: unknown, holder: string): ParkedConnection {
    return this.#parked(new Copy((connection as Copy).entry, holder));
  }

  /** Everything that a holder has is closed: it has died. */
  bury(holder: string): void {
    this.#dead.add(holder);
    for (const { copies } of this.#entries) {
      for (const copy of [...copies]) if (copy.holder === holder) copy.close();
    }
  }

  /** Duplicates for a holder; they belong to the one who makes them until they are adopted. */
  descriptors(holder: string): Descriptors {
    return {
      refusal: () => undefined,
      duplicate: (connection) => {
        if (this.#dead.has(holder)) throw new Error("the dead do nothing");
        const copy = new Copy((connection as Copy).entry, "a token");
        this.#tokens.set(++this.#lastToken, copy);
        return this.#lastToken;
      },
      adopt: (token) => {
        const copy = this.#take(token);
        const own = new Copy(copy.entry, holder);
        copy.close();
        return this.#parked(own);
      },
      discard: (token) => this.#take(token).close(),
    };
  }

  #take(token: ConnectionToken): Copy {
    const copy = this.#tokens.get(token);
    if (copy === undefined) throw new Error(`token ${token} is used twice`);
    this.#tokens.delete(token);
    return copy;
  }

  #parked(copy: Copy): ParkedConnection {
    return {
      connection: copy,
      unread: undefined,
      resume: () => {
        copy.use();
        return this.#drive(copy);
      },
      drop: () => {
        // What the dead still do after their end is nothing.
        if (copy.state !== "closed" || !this.#dead.has(copy.holder)) copy.close();
      },
    };
  }

  #drive(copy: Copy): SocketDriver {
    return new CopyDriver(copy, async () => {
      await this.onPark?.();
      if (copy.state === "closed") throw new Error("it is closed");
      copy.state = "parked";
      return this.#parked(copy);
    });
  }
}

/** The driver of one copy. */
class CopyDriver implements SocketDriver {
  readonly connection: Copy;
  #park: () => Promise<ParkedConnection>;

  constructor(copy: Copy, park: () => Promise<ParkedConnection>) {
    this.connection = copy;
    this.#park = park;
  }

  get hasUnread(): boolean {
    // Who has died may still look at what he had.
    return this.connection.state !== "closed" && this.#driver.hasUnread === true;
  }

  get #driver(): SocketDriver {
    if (this.connection.state !== "used") {
      throw new Error(`${this.connection.holder} uses what it does not own`);
    }
    return this.connection.entry.driver;
  }

  read(into: Uint8Array, later: ReadWaiter): number | null | undefined | Promise<number | null> {
    return this.#driver.read(into, later);
  }

  stopReading(): void {
    this.#driver.stopReading!();
  }

  write(bytes: Uint8Array): number | Promise<number> {
    return this.#driver.write(bytes);
  }

  closeWrite(): void | Promise<void> {
    return this.#driver.closeWrite();
  }

  async close(): Promise<void> {
    if (this.connection.state === "closed") return;
    await this.#driver.close();
    this.connection.close();
  }

  abort(): void {
    if (this.connection.state === "closed") return;
    this.#driver.abort();
    this.connection.close();
  }

  watch(watcher: DriverWatcher): void {
    this.connection.entry.driver.watch?.(watcher);
  }

  park(): Promise<ParkedConnection> {
    return this.#park();
  }
}

interface Packet {
  readonly message: unknown;
  readonly connection: ParkedConnection | undefined;
}

/** One end of a fake link. */
export class FakeLink implements OwnerLink {
  readonly kind: "thread" | "process";
  readonly ended: Promise<OwnerEnd>;
  readonly carrier: OwnerLink["carrier"];
  readonly holder: string;
  other!: FakeLink;
  /** What is on its way to this end. */
  arriving: Packet[] = [];
  /** Whether this end is alive. */
  isAlive = true;
  /** What `told` says from now on. */
  arrives = true;
  #receiver: LinkReceiver | undefined;
  #end: PromiseWithResolvers<OwnerEnd> = Promise.withResolvers<OwnerEnd>();
  #isOver = false;
  #turnEnd: (() => void)[] = [];

  constructor(kind: "thread" | "process", kernel: FakeKernel, holder: string) {
    this.kind = kind;
    this.holder = holder;
    this.ended = this.#end.promise;
    if (kind === "thread") return;
    this.carrier = {
      refusal: () => undefined,
      send: (message, parked): Passage => {
        structuredClone(message);
        const connection = kernel.copyOf(parked.connection, this.other.holder);
        if (this.other.isAlive) this.other.arriving.push({ message, connection });
        else connection.drop();
        return { withdraw: () => this.#isOver ? "returned" : "unknown" };
      },
    };
  }

  post(message: unknown, told?: (arrives: boolean) => void): void {
    const arrives = this.arrives && this.isAlive && !this.#isOver;
    if (arrives && this.other.isAlive) {
      structuredClone(message);
      this.other.arriving.push({ message, connection: undefined });
    }
    told?.(arrives);
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver;
  }

  /** Of a thread, whose messages come in groups; a group ends where the test says. */
  get atTurnEnd(): ((act: () => void) => void) | undefined {
    return this.kind === "thread" ? (act) => void this.#turnEnd.push(act) : undefined;
  }

  /** The turn ends here; whether anything waited for that. */
  endTurn(): boolean {
    const acts = this.#turnEnd.splice(0);
    if (this.isAlive) { for (const act of acts) act(); }
    return acts.length > 0;
  }

  /** Let the next message arrive here; whether there was one. */
  step(): boolean {
    const packet = this.arriving.shift();
    if (packet === undefined) return false;
    this.#receiver?.message(packet.message, packet.connection);
    return true;
  }

  /** The other end has died, and nothing of it comes any more. */
  end(end: OwnerEnd): void {
    this.#isOver = true;
    this.#end.resolve(end);
  }
}

/** Two ends of one link. */
export function fakeLinks(
  kind: "thread" | "process",
  kernel: FakeKernel,
  farHolder = "far",
): { near: FakeLink; far: FakeLink } {
  const near = new FakeLink(kind, kernel, "near");
  const far = new FakeLink(kind, kernel, farHolder);
  near.other = far;
  far.other = near;
  return { near, far };
}
