import { badPick, type Picker, Rotation, startStrategy, type Strategy } from "../strategy/mod.ts";
import type { PartingReason, Reports } from "./observer.ts";
import type { PoolRequest } from "./options.ts";
import { countOf, type PooledState, type TargetState } from "./pool_target.ts";
import type { PoolCandidate, PooledSocket } from "./pooled_socket.ts";

/** Nothing that was written to these is worth waiting for. */
const ABORTED: readonly PartingReason[] = ["discarded", "prepare", "check", "reset"];

/**
 * The sockets of a pool: which of them are idle and in which order, and the way out for those that
 * end. Nothing else adds a socket to a pool or takes one away.
 */
export class Roster<Session> {
  #targets: readonly TargetState[];
  #reports: Reports;
  /** There is room now, or less to wait for. */
  #freed: () => void;
  #all = new Set<PooledSocket<Session>>();
  #idle = new Rotation<PooledSocket<Session>>();
  #strategy: Strategy<PoolCandidate, PoolRequest>;
  #picker: Picker<PoolCandidate, PoolRequest>;
  #turn = 0;

  /** Without sockets. */
  constructor(
    targets: readonly TargetState[],
    strategy: Strategy<PoolCandidate, PoolRequest>,
    reports: Reports,
    freed: () => void,
  ) {
    this.#targets = targets;
    this.#strategy = strategy;
    this.#picker = startStrategy(strategy);
    this.#reports = reports;
    this.#freed = freed;
  }

  /** Everything that holds a descriptor, or may. */
  get size(): number {
    let size = 0;
    for (const target of this.#targets) size += target.size;
    return size;
  }

  /** How many are in one of these states. */
  count(...states: readonly PooledState[]): number {
    return countOf(this.#targets, ...states);
  }

  /** How many are idle. */
  get idle(): number {
    return this.#idle.size;
  }

  /** Those that are idle, in rotation order; the one given last may end meanwhile. */
  get idleOnes(): Iterable<PooledSocket<Session>> {
    return this.#idle;
  }

  /** All of them that have not ended. */
  get all(): Iterable<PooledSocket<Session>> {
    return this.#all;
  }

  /** Whether the strategy takes whatever comes first, so that nobody has to ask it. */
  get takesAny(): boolean {
    return this.#picker.window !== undefined;
  }

  /** Who chooses. Another one starts with what is idle now. */
  get strategy(): Strategy<PoolCandidate, PoolRequest> {
    return this.#strategy;
  }

  set strategy(strategy: Strategy<PoolCandidate, PoolRequest>) {
    const picker = startStrategy(strategy);
    if (picker.added !== undefined) {
      for (const entry of this.#idle) picker.added(entry);
    }
    this.#strategy = strategy;
    this.#picker = picker;
  }

  /** A new place in the rotation: after all that were chosen before. */
  nextTurn(): number {
    return ++this.#turn;
  }

  /** One that was just opened. */
  add(entry: PooledSocket<Session>): void {
    this.#all.add(entry);
  }

  /**
   * The idle one that the strategy chooses; it stays idle.
   *
   * @throws {TypeError} When it chose what was not offered, and what it throws itself.
   */
  pick(request: PoolRequest): PooledSocket<Session> | undefined {
    if (this.#idle.size === 0) return undefined;
    const picker = this.#picker;
    const picked = picker.pick(this.#idle.view(picker.window), request);
    if (picked === undefined) return undefined;
    if (this.#idle.has(picked)) return picked;
    throw badPick(this.#strategy, picked);
  }

  /** It waits for a task from now on. */
  rest(entry: PooledSocket<Session>, nowMs: number): void {
    if (entry.state !== "checking") entry.sinceMs = nowMs; // A check is no use of it.
    entry.move("idle");
    this.#idle.insert(entry);
    if (this.#picker.added !== undefined) this.#tell("added", entry);
    if (this.#picker.changed !== undefined) this.#tell("changed", entry);
    entry.socket.watch(entry.told);
  }

  /** It waits for a task no longer: it is leased, checked or ended. */
  take(entry: PooledSocket<Session>, next: "leased" | "checking" | "closing"): void {
    entry.socket.watch(undefined);
    entry.move(next);
    if (this.#picker.changed !== undefined) this.#tell("changed", entry);
    this.#idle.remove(entry);
    if (this.#picker.removed !== undefined) this.#tell("removed", entry);
  }

  /** It was idle or at work, and goes to a task. */
  lend(entry: PooledSocket<Session>, nowMs: number): void {
    if (entry.state === "idle") this.take(entry, "leased");
    else if (entry.state !== "leased") {
      entry.move("leased");
      this.#loadChanged(entry.group);
    }
    entry.leases++;
    entry.turn = ++this.#turn;
    entry.sinceMs = nowMs;
    entry.reported = false;
  }

  /** It came back, and is not idle yet. */
  occupy(entry: PooledSocket<Session>): void {
    entry.move("resetting");
    this.#loadChanged(entry.group);
  }

  /** Part with a socket; it counts until its descriptor is given back. */
  end(entry: PooledSocket<Session>, reason: PartingReason, cause?: unknown): void {
    if (entry.state === "closing" || entry.state === "gone") return;
    const wasLeased = entry.state === "leased";
    if (entry.state === "idle") this.take(entry, "closing");
    else entry.move("closing");
    if (wasLeased) this.#loadChanged(entry.group);
    this.#reports.tell((observer) => observer.closed?.(entry, reason));
    const { socket, loan } = entry;
    if (loan !== undefined) {
      loan.recall(); // It is elsewhere, and counts until nobody has it.
      return void loan.back.then(() => this.#gone(entry));
    }
    if (ABORTED.includes(reason)) socket.abort(cause);
    if (socket.state === "closed" || socket.state === "gone") return this.#gone(entry);
    void socket.close().then(() => this.#gone(entry));
  }

  /** End what is left, now. */
  abort(reason: unknown): void {
    for (const entry of [...this.#all]) {
      entry.socket.abort(reason);
      this.end(entry, "closed");
    }
  }

  /** Said of one that is idle, it holds for all sockets of its target. */
  #loadChanged(group: TargetState): void {
    if (this.#picker.changed === undefined || group.counts.idle === 0) return;
    for (const entry of this.#idle) {
      if (entry.group === group) return this.#tell("changed", entry);
    }
  }

  /** A strategy that throws here has itself to blame for what it does not know. */
  #tell(event: "added" | "removed" | "changed", entry: PooledSocket<Session>): void {
    try {
      this.#picker[event]!(entry);
    } catch (error) {
      this.#reports.failed(error, "strategy");
    }
  }

  #gone(entry: PooledSocket<Session>): void {
    if (entry.state === "gone") return;
    entry.move("gone");
    this.#all.delete(entry);
    this.#freed();
  }
}
