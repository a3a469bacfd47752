import type { PoolCandidate, PoolRequest } from "../pool/mod.ts";
import type { Strategy } from "../strategy/mod.ts";
import { assertCount } from "./assert_count.ts";
import type { Dice } from "./dice.ts";
import { ModelNetwork } from "./model_network.ts";
import type { ModelledPool, PoolMaterials } from "./modelled_pool.ts";
import { PoolCallers } from "./pool_callers.ts";
import type { PropertyBody } from "./property.ts";
import { Rules } from "./rules.ts";
import { VirtualClock } from "./virtual_clock.ts";
import { type WatchedStrategy, watchedStrategy } from "./watched_strategy.ts";
import { type WatchedTransport, watchedTransport } from "./watched_transport.ts";

/** Options of {@linkcode poolModel}. */
export interface PoolModelOptions {
  /** How many steps a run makes. @default {150} */
  readonly steps?: number;
  /**
   * Makes the strategy for one run; what it draws comes from the dice. It is watched, and given to the
   * pool.
   *
   * @default {none is given}
   */
  readonly strategy?: (dice: Dice) => Strategy<PoolCandidate, PoolRequest>;
}

type PoolStrategy = WatchedStrategy<PoolCandidate, PoolRequest>;

/** So long a caller without a deadline may wait in the end, when all is well. */
const PATIENCE_MS = 300_000;
const ROUND_MS = 1000;

/**
 * The random life of a pool, for {@linkcode property}: callers acquire, use, release, discard and give
 * up, the server resets and closes, connects fail, hang and come late, time passes.
 *
 * At every instant there are no more sockets than `maxSize`; a socket is with one task at most, and
 * is open, at rest and without anything unread when the task gets it; every caller is served by his
 * deadline or refused, once, and for a reason that is true; with a server that is well again nobody
 * waits for ever; and after `close` no socket and no timer is left.
 *
 * @param create Makes the pool for one run, with what it is given and nothing else that changes.
 * @throws {RangeError} When `steps` is not a whole number of at least 1.
 *
 * @example
 * ```ts
 * import { leastBusy, SocketPool } from "@jackfield/jackfield/core";
 * import { poolModel, property } from "@jackfield/jackfield/testing";
 *
 * const model = poolModel(
 *   (materials) => new SocketPool({ ...materials, maxSize: 3 }),
 *   { strategy: () => leastBusy() },
 * );
 * await property("a pool that prefers the least busy", model, { runs: 3 });
 * ```
 */
export function poolModel(
  create: (materials: PoolMaterials) => ModelledPool,
  options: PoolModelOptions = {},
): PropertyBody {
  const { steps = 150, strategy } = options;
  assertCount("steps", steps);
  return async (run) => {
    const watched = strategy === undefined ? undefined : watchedStrategy(strategy(run));
    const world = await PoolWorld.start(create, watched, run);
    for (const _step of run.steps(steps)) {
      run.note(await world.step());
      world.check();
    }
    await world.end();
    world.check();
  };
}

/** A pool, its callers and its network. */
class PoolWorld {
  #dice: Dice;
  #clock: VirtualClock;
  #network: ModelNetwork;
  #transport: WatchedTransport;
  #pool: ModelledPool;
  #callers: PoolCallers;
  #strategy: PoolStrategy | undefined;
  #rules = new Rules("Pool");

  private constructor(
    dice: Dice,
    clock: VirtualClock,
    network: ModelNetwork,
    transport: WatchedTransport,
    pool: ModelledPool,
    strategy: PoolStrategy | undefined,
  ) {
    this.#strategy = strategy;
    this.#dice = dice;
    this.#clock = clock;
    this.#network = network;
    this.#transport = transport;
    this.#pool = pool;
    const mayConnectFail = () => network.hasFailed;
    const rules = this.#rules;
    this.#callers = new PoolCallers({ pool, transport, clock, dice, rules, mayConnectFail });
  }

  /** A pool of which nothing was asked yet. */
  static async start(
    create: (materials: PoolMaterials) => ModelledPool,
    strategy: PoolStrategy | undefined,
    dice: Dice,
  ): Promise<PoolWorld> {
    const clock = new VirtualClock({ random: dice.random });
    const network = new ModelNetwork(clock, dice);
    const { hostname, port } = await network.start();
    // A pool may connect within its constructor.
    let maxSize = () => Infinity;
    const transport = watchedTransport(network, { maxSockets: () => maxSize() });
    const { random } = dice;
    const target = { hostname, port };
    const pool = create({ transport, target, clock, random, ...(strategy && { strategy }) });
    maxSize = () => pool.maxSize;
    return new PoolWorld(dice, clock, network, transport, pool, strategy);
  }

  /** Throw when a rule is broken. */
  check(): void {
    // What the pool does wrong may come from one of these.
    this.#strategy?.check();
    this.#pool.check?.();
    this.#rules.check();
    this.#transport.check();
  }

  /** Let something happen; says what. Most often all that follows from it happens, too. */
  async step(): Promise<string> {
    const name = await this.#something();
    if (this.#dice.below(4) > 0) {
      await this.#clock.settle();
      this.#callers.checkSettled();
    }
    return name;
  }

  async #something(): Promise<string> {
    const callers = this.#callers;
    const draw = this.#dice.below(100);
    if (draw < 28) return this.#acquire();
    if (draw < 34) return callers.tryAcquire();
    if (draw < 56) return callers.giveBack("release");
    if (draw < 59) return callers.giveBack("discard");
    if (draw < 63) return callers.giveUp();
    if (draw < 75) return callers.exchange();
    if (draw < 79) return await this.#disturb();
    if (draw < 82) return this.#network.changeMood();
    if (draw < 84) return this.#resize();
    const ms = this.#dice.oneOf([1, 5, 20, 100, 1000]);
    await this.#clock.advance(ms);
    return `wait ${ms} ms`;
  }

  #acquire(): string {
    const timeoutMs = this.#dice.oneOf([10, 100, 30_000, Infinity]);
    this.#callers.acquire({
      timeoutMs,
      key: this.#dice.below(4),
      tenant: this.#dice.oneOf(["", "", "a"]),
      priority: this.#dice.oneOf([0, 0, 3, -3]),
    });
    return `acquire within ${timeoutMs} ms`;
  }

  /** No pool can know of what has not arrived, so that it comes while nothing else happens. */
  async #disturb(): Promise<string> {
    await this.#clock.settle();
    const name = this.#network.disturb();
    await this.#clock.advance(5);
    return name;
  }

  #resize(): string {
    const maxSize = 1 + this.#dice.below(5);
    if (this.#pool.resize === undefined) return "nothing";
    try {
      this.#pool.resize(maxSize);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // It keeps more than these ready.
    }
    return `resize to ${maxSize}`;
  }

  /** The end: in half of the runs at once, and in half when all is well and nobody waits. */
  async end(): Promise<void> {
    if (this.#dice.below(2) === 0) await this.#serveAll();
    const callers = this.#callers;
    callers.isClosing = true;
    let isClosed = false;
    this.#pool.close().then(() => isClosed = true, (error) => this.#rules.broke(`close: ${error}`));
    for (let round = 0; round < 2; round++) { // What is in use at first is not afterwards.
      callers.releaseAll();
      await this.#clock.advance(ROUND_MS);
    }
    if (callers.waiting.size > 0) this.#rules.broke("a caller waits for a pool that is closed");
    if (!isClosed) this.#rules.broke("close has not resolved after every lease was given back");
    this.check();
    this.#transport.checkEnd();
    const { pending } = this.#clock;
    if (pending > 0) this.#rules.broke(`${pending} timers are left after close`);
    await this.#network.stop();
    await this.#clock.settle();
    const { openEnds } = this.#network.memory;
    if (openEnds > 0) this.#rules.broke(`${openEnds} ends of connections are left open`);
  }

  /** With a server that is well again, and sockets that come back, everybody is served. */
  async #serveAll(): Promise<void> {
    this.#network.mood = "well";
    for (let waitedMs = 0; this.#callers.waiting.size > 0; waitedMs += ROUND_MS) {
      if (waitedMs > PATIENCE_MS) this.#rules.broke("a caller waits for ever, though all is well");
      this.check();
      this.#callers.releaseAll();
      await this.#clock.advance(ROUND_MS);
    }
  }
}
