import type { SocketLease } from "../pool/mod.ts";
import { delay, type Hash, type Socket } from "../transport/mod.ts";
import type { Answer, Site } from "./answer.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { Control } from "./control.ts";
import { vanished } from "./failures.ts";
import type { Hashing, Output } from "./output.ts";
import type { Pace } from "./pace.ts";
import type { ProgressMeter } from "./progress.ts";
import type { SocketWatch } from "./socket_watch.ts";
import type { Pursuit } from "./pursuit.ts";
import { chooseTheft } from "./stealing.ts";
import type { Piece, UnitPlan } from "./unit_plan.ts";
import type { Validator } from "./validators.ts";
import { Worker } from "./worker.ts";

/** What a {@linkcode Crew} works with. */
export interface CrewOptions extends BackoffOptions {
  /** Where the file is. */
  readonly site: Site;
  /** Which bytes are wanted. */
  readonly plan: UnitPlan;
  /** Where they go. */
  readonly output: Output;
  /** What parts are compared by; none when the first answer brings everything. */
  readonly validator: Validator | undefined;
  /** Whether the transfer goes on. */
  readonly control: Control;
  /** Counts. */
  readonly meter: ProgressMeter;
  /** Makes digests. */
  readonly hash: Hash;
  /** The digest of the file, if somebody wants it. */
  readonly hashing: Hashing | undefined;
  /** Limits the rate. */
  readonly pace: Pace | undefined;
  /** How many sockets at most. */
  readonly sockets: number;
  /** Whether a request is for one data unit, whatever the time of its trip. */
  readonly isUnitFixed: boolean;
  /** Whether digests of the parts are wanted. */
  readonly wantsUnitDigest: boolean;
  /** How often a piece is fetched again when its socket fails. */
  readonly retries: number;
  /** Says of a part that it is there already, by the digest that its answer has. */
  readonly isThere?: (start: number, end: number, digest: string) => Promise<boolean>;
}

/** A piece that was asked for before the crew began. */
export interface Begun {
  readonly lease: SocketLease;
  readonly watch: SocketWatch;
  readonly answer: Answer;
  readonly piece: Piece;
}

/**
 * Workers that fetch the units of a file, each on one socket at a time.
 *
 * A worker takes a socket first and then the first bytes that nobody fetches: so no unit waits for a
 * socket. When none are left it takes over a part of what the slowest one has still to fetch.
 */
export class Crew {
  /** See {@linkcode CrewOptions}. */
  readonly options: CrewOptions;
  /** What is being fetched. */
  readonly pursuits: Map<Piece, Pursuit> = new Map();
  /** How often the first byte of each piece was tried without success. */
  readonly failures: Map<number, number> = new Map();
  /** Sockets that have brought an answer before. */
  readonly used: WeakSet<Socket> = new WeakSet();
  /** Whether a socket may bring another answer. */
  mayReuse = true;
  #working = 0;
  #over = new AbortController();
  #waiters: (() => void)[] = [];

  /** Nothing happens before `run`. */
  constructor(options: CrewOptions) {
    this.options = options;
  }

  /** Fetch everything that the plan lacks. */
  async run(begun: Begun | undefined): Promise<void> {
    const { plan, control, sockets, meter } = this.options;
    if (begun !== undefined) this.used.add(begun.watch.socket);
    const units = Math.ceil(plan.freeBytes / plan.unitBytes) + (begun === undefined ? 0 : 1);
    const workers = Array.from({ length: Math.min(sockets, units) }, () => new Worker(this));
    this.#working = workers.length;
    const offTick = control.onTick(() => {
      for (const pursuit of this.pursuits.values()) pursuit.tick(control.tickMs);
      this.wake();
      meter.tick(control.tickMs);
    });
    control.signal.addEventListener("abort", this.end, { once: true });
    try {
      const work = async (worker: Worker, index: number) => {
        try {
          await worker.run(index === 0 ? begun : undefined);
        } catch (error) {
          control.fail(error);
        } finally {
          this.wake();
        }
      };
      await Promise.all(workers.map(work));
    } finally {
      offTick();
      control.signal.removeEventListener("abort", this.end);
    }
    control.assertGoing();
  }

  /** Aborted when no worker should go on: who waits for a socket then waits in vain. */
  get ended(): AbortSignal {
    return this.#over.signal;
  }

  /** Everything is there, or the transfer is over. */
  end = (): void => {
    this.#over.abort();
    this.wake();
  };

  /** Whether a worker should go on. */
  get isGoing(): boolean {
    return !this.options.control.isOver && !this.options.plan.isComplete;
  }

  /** Whether bytes are free that may be fetched now. */
  get hasFree(): boolean {
    const { plan, output } = this.options;
    const { firstFree } = plan;
    return firstFree !== undefined && firstFree < output.limit;
  }

  /** Wait until there may be something to do. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Let time pass, as long as there is something to do afterwards. */
  async pause(ms: number): Promise<void> {
    try {
      await delay(this.options.control.clock, ms, this.#over.signal);
    } catch {
      // Everything is there, or the transfer is over: who paused sees it.
    }
  }

  /** Who waits looks again. */
  wake = (): void => {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  };

  /** What a worker takes over from a slower one, if anything. */
  theftFor(worker: Worker): ReturnType<typeof chooseTheft> {
    const { latencyMs } = worker;
    return chooseTheft(this.pursuits.values(), {
      bytesPerSecond: worker.bytesPerSecond || this.#meanSpeed(),
      latencyMs,
    });
  }

  /** Take it over. */
  steal(worker: Worker): Piece | undefined {
    const theft = this.theftFor(worker);
    if (theft === undefined) return undefined;
    const { victim, from, isWhole } = theft;
    const piece = this.options.plan.split(victim.piece, from);
    if (isWhole) {
      worker.takeovers = victim.takeovers + 1;
      (victim as Pursuit).cut();
    }
    return piece;
  }

  /**
   * A worker gets no socket, or is turned away by the server: the others go on without it. The last
   * one says why.
   *
   * @returns Whether it was the last one.
   */
  retire(): boolean {
    return --this.#working === 0;
  }

  /** The last worker has no socket any more. */
  vanished(cause: unknown): void {
    this.options.control.fail(vanished(cause));
  }

  #meanSpeed(): number {
    let sum = 0;
    for (const { bytesPerSecond } of this.pursuits.values()) sum += bytesPerSecond;
    return this.pursuits.size === 0 ? 0 : sum / this.pursuits.size;
  }
}
