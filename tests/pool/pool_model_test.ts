// Random use of a pool over a network in memory with faults and virtual time. After each step the
// pool is compared with what the tasks know; a failure names its seed.
import { assertEquals } from "@std/assert";
import { type PoolStats, type Socket, type SocketLease, SocketPool } from "../../src/core.ts";
import { memoryTransport, seededFaults, VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { type Dice, settle, withSeeds } from "../support/seeds.ts";

const STEPS = 1000;
const SEEDS = Array.from({ length: 20 }, (_, at) => 100 + at);

/** One caller of `acquire`. */
interface Ask {
  readonly number: number;
  readonly controller: AbortController;
  settled: boolean;
}

class Model {
  readonly dice: Dice;
  readonly clock = new VirtualClock();
  readonly maxSize: number;
  readonly transport;
  /** What was accepted at the other end. */
  readonly far: Socket[] = [];
  readonly asks: Ask[] = [];
  readonly leases = new Set<SocketLease>();
  /** Tasks of `use` that wait for the test to let them end. */
  readonly tasks = new Set<(error?: Error) => void>();
  readonly failures: string[] = [];
  pool!: SocketPool;
  granted = 0;
  closing = false;
  #lastGranted = -1;
  /** Leases whose socket is being used. */
  #busy = new Set<SocketLease>();

  constructor(dice: Dice, seed: number) {
    this.dice = dice;
    this.maxSize = 1 + dice.below(6);
    const faults = seededFaults({ seed, connect: 0.2, read: 0.05, write: 0.05, delay: 0.3 });
    this.transport = memoryTransport({ clock: this.clock, faults });
  }

  async start(): Promise<() => Promise<void>> {
    const listener = await this.transport.listen();
    const accepting = (async () => {
      for await (const socket of listener) this.far.push(socket);
    })();
    this.pool = new SocketPool({
      transport: this.transport,
      target: listener.address,
      clock: this.clock,
      maxSize: this.maxSize,
      maxWaiting: 20,
      connectTimeoutMs: 8,
      ...(this.dice.random() < 0.5 ? {} : { strategy: (sockets) => this.dice.oneOf(sockets) }),
    });
    return async () => {
      await listener.close();
      await accepting;
    };
  }

  acquire(): void {
    const ask: Ask = {
      number: this.asks.length,
      controller: new AbortController(),
      settled: false,
    };
    this.asks.push(ask);
    const timeoutMs = this.dice.random() < 0.3 ? 1 + this.dice.below(20) : 1000;
    const { signal } = ask.controller;
    if (this.dice.random() < 0.3) {
      const task = (lease: SocketLease) => {
        this.#grant(ask, lease);
        return new Promise<void>((resolve, reject) => {
          const end = (error?: Error): void => {
            if (this.#busy.has(lease) && !this.closing) return;
            this.tasks.delete(end);
            this.leases.delete(lease);
            if (error === undefined) resolve();
            else reject(error);
          };
          this.tasks.add(end);
        });
      };
      this.pool.use(task, { timeoutMs, signal }).catch(() => ask.settled = true);
    } else {
      this.pool.acquire({ timeoutMs, signal }).then((lease) => {
        this.#grant(ask, lease);
      }, () => ask.settled = true);
    }
  }

  #grant(ask: Ask, lease: SocketLease): void {
    ask.settled = true;
    this.granted++;
    if (ask.number < this.#lastGranted) this.failures.push(`${ask.number} was overtaken`);
    this.#lastGranted = ask.number;
    this.#lend(lease);
  }

  #lend(lease: SocketLease): void {
    for (const other of this.leases) {
      if (other.socket === lease.socket) this.failures.push("one socket, two leases");
    }
    if (lease.socket.state !== "open" && lease.state === "leased") {
      this.failures.push(`leased a socket that is ${lease.socket.state}`);
    }
    this.leases.add(lease);
  }

  tryAcquire(): void {
    const { idle, waiting } = this.pool.stats();
    const lease = this.pool.tryAcquire();
    if (lease !== undefined) this.#lend(lease);
    if (lease !== undefined && waiting > 0) this.failures.push("tryAcquire overtook a waiter");
    if (lease === undefined && waiting === 0 && idle > 0 && this.pool.stats().idle > 0) {
      this.failures.push("tryAcquire left an idle socket");
    }
  }

  async step(): Promise<void> {
    const dicing = this.dice.below(100);
    // Also that of a task of `use`: to give a lease back within it is allowed, and counts once.
    const free = [...this.leases].filter((lease) => !this.#busy.has(lease));
    const lease = free.length > 0 ? this.dice.oneOf(free) : undefined;
    if (dicing < 30) this.acquire();
    else if (dicing < 35) this.tryAcquire();
    else if (dicing < 40) this.dice.oneOf(this.asks)?.controller.abort(new Error("gave up"));
    else if (dicing < 48 && this.tasks.size > 0) {
      this.dice.oneOf([...this.tasks])(dicing < 45 ? undefined : new Error("task failed"));
    } else if (dicing < 52 && this.far.length > 0) {
      const far = this.far.splice(this.dice.below(this.far.length), 1)[0]!;
      if (dicing < 50) far.abort();
      else void far.close();
    } else if (dicing < 85 && lease !== undefined) this.#use(lease, dicing);
    else if (dicing < 95) await this.clock.advance(this.dice.below(15));
    else await settle();
  }

  /** Do something with the socket, wait for it as tasks must, and give the lease back. */
  #use(lease: SocketLease, dicing: number): void {
    const { socket } = lease;
    const giveBack = (): void => {
      this.#busy.delete(lease);
      this.leases.delete(lease);
      if (dicing < 78) lease.release();
      else lease.discard();
      if (dicing % 5 === 0) lease.discard(); // Too late.
    };
    this.#busy.add(lease);
    if (dicing < 58) socket.write(new Uint8Array(10)).then(giveBack, giveBack);
    else if (dicing < 60) socket.closeWrite().then(giveBack, giveBack);
    else {
      if (dicing < 62) void socket.close();
      giveBack();
    }
  }

  check(where: string): PoolStats {
    const stats = this.pool.stats();
    const { size, idle, leased, connecting, closing, waiting } = stats;
    const held = [...this.leases].filter(({ state }) => state === "leased").length;
    const open = this.asks.filter(({ settled }) => !settled).length;
    const wrong = [
      size > this.maxSize && "more than maxSize",
      size !== idle + leased + connecting + closing && "a sum that is none",
      held > leased && "a lease that the pool does not know",
      waiting > open && "a waiter that nobody is",
      waiting > 0 && idle > 0 && "an idle socket while somebody waits",
      waiting > connecting && size < this.maxSize && !this.closing && "a waiter without a connect",
      ...this.failures,
    ].find((one) => one !== false);
    if (wrong !== undefined) throw new Error(`${where}: ${wrong} ${JSON.stringify(stats)}`);
    return stats;
  }

  /** Close in one of the ways, and see that nothing is left. */
  async finish(stop: () => Promise<void>): Promise<void> {
    this.closing = true;
    const closed = this.pool.close();
    if (this.dice.random() < 0.5) this.pool.abort();
    await settle();
    for (const end of [...this.tasks]) end();
    for (const lease of this.leases) lease.release();
    await this.clock.advance(2000);
    await closed;
    for (const far of this.far) far.abort();
    await stop();
    await this.clock.settle();
    assertEquals(this.asks.filter(({ settled }) => !settled).length, 0, "callers left waiting");
    assertEquals(this.check("at the end").size, 0);
    assertEquals(this.failures, []);
    assertEquals(this.transport.openEnds, 0, "ends of connections left open");
    assertEquals(this.clock.pending, 0, "timers left");
  }
}

test(`SocketPool keeps its rules in ${SEEDS.length * STEPS} random steps (P2, P3)`, async () => {
  let granted = 0;
  await withSeeds(SEEDS, async (dice, seed) => {
    const model = new Model(dice, seed);
    const stop = await model.start();
    for (let step = 0; step < STEPS; step++) {
      await model.step();
      model.check(`step ${step}`);
    }
    await model.finish(stop);
    granted += model.granted;
  });
  assertEquals(granted > SEEDS.length, true, `only ${granted} leases were granted`);
});
