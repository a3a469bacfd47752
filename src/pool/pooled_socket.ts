import type { Loan } from "../handoff/mod.ts";
import type { RotationNode } from "../strategy/mod.ts";
import type { Socket, SocketAddress, Target } from "../transport/mod.ts";
import type { Hold } from "./holds.ts";
import type { PooledState, TargetState } from "./pool_target.ts";
import type { SocketLease } from "./socket_lease.ts";

/** What a strategy sees of a socket that it may choose. */
export interface PoolCandidate {
  /** The end on this host. */
  readonly localAddress: SocketAddress;
  /** The far end. */
  readonly remoteAddress: SocketAddress;
  /** Where it was connected to; `undefined` for a socket that was added. */
  readonly target: Target | undefined;
  /** How often it was leased. */
  readonly leases: number;
  /** How many sockets of its target are leased now. */
  readonly load: number;
  /** The same object for all sockets of one target, which share their load. */
  readonly group: object;
  /** The weight of its target. */
  readonly weight: number;
}

/** What is noted of a call that got a socket. */
export interface Call {
  /** Its label, or the name of the function that was given to `use`. */
  readonly label: string | undefined;
  /** Where it was, with `debug`. */
  readonly stack: string | undefined;
}

/** A socket and what its pool knows of it. */
export class PooledSocket<Session> implements PoolCandidate, RotationNode<PooledSocket<Session>> {
  /** The connection; `prepare` may put another socket on it. */
  socket: Socket;
  /** Where it leads to. */
  readonly group: TargetState;
  /** What `prepare` made of it. */
  session: Session | undefined = undefined;
  /** How often it was leased. */
  leases = 0;
  /** When it was chosen last, counted in choices of the pool: its place in the rotation. */
  turn: number;
  /** The place in the rotation. */
  before: PooledSocket<Session> | undefined = undefined;
  after: PooledSocket<Session> | undefined = undefined;
  available = false;
  rotation: object | undefined = undefined;
  /** The lease of the task that has it. */
  lease: SocketLease<Session> | undefined = undefined;
  /** Who called for it, where that is known. */
  call: Call | undefined = undefined;
  /** Set while another thread or process has it from the task. */
  loan: Loan | undefined = undefined;
  /** The `use` that has it. */
  hold: Hold | undefined = undefined;
  /** Since when it does what it does, in coarse milliseconds of the pool. */
  sinceMs: number;
  /** When it was used last, exactly; kept only where sockets are checked. */
  usedMs = 0;
  /** When it was checked last, in coarse milliseconds. */
  checkedMs: number;
  /** When its time is over, in coarse milliseconds. */
  readonly expiresMs: number;
  /** Whether it was of use, or lasted for a while: only then its connect was a success. */
  proven = false;
  /** The round of its target's breaker in which it came to stand. */
  readonly round: number;
  /** Whether its lease was reported as a leak. */
  reported = false;
  /** Told when something comes while it is idle. */
  readonly told: () => void;
  #state: PooledState = "preparing";

  /** A socket that was just opened. */
  constructor(
    socket: Socket,
    group: TargetState,
    turn: number,
    nowMs: number,
    expiresMs: number,
    told: (entry: PooledSocket<Session>) => void,
  ) {
    this.socket = socket;
    this.group = group;
    this.turn = turn;
    this.sinceMs = this.checkedMs = nowMs;
    this.expiresMs = expiresMs;
    this.round = group.breaker.round;
    this.told = () => told(this);
    group.counts.preparing++;
  }

  /** What it does now. */
  get state(): PooledState {
    return this.#state;
  }

  /** Since when nothing was said on it, as its peer sees it. */
  get quietSinceMs(): number {
    return Math.max(this.sinceMs, this.checkedMs);
  }

  /** From now on the connection has this socket. */
  replace(socket: Socket): void {
    this.socket = socket;
    socket.closed.then(this.told, this.told);
  }

  /** It is as good as a connection should be. */
  prove(): void {
    this.proven = true;
    this.group.breaker.succeeded();
  }

  /** The only place where its state and the counts of its target change. */
  move(next: PooledState): void {
    const { counts } = this.group;
    const before = this.#state;
    this.#state = next;
    // The two that every lease takes, by name: a third faster than by variable.
    if (before === "idle" && next === "leased") {
      counts.idle--;
      counts.leased++;
    } else if (before === "leased" && next === "idle") {
      counts.leased--;
      counts.idle++;
    } else {
      counts[before]--;
      counts[next]++;
    }
  }

  /**
   * Whether the next task finds it as if it were new: open in both directions, nobody at it, and
   * nothing on the wire that nobody asked for, as far as the runtime tells.
   */
  get isClean(): boolean {
    return this.socket.isAtRest;
  }

  get localAddress(): SocketAddress {
    return this.socket.localAddress;
  }

  get remoteAddress(): SocketAddress {
    return this.socket.remoteAddress;
  }

  get target(): Target | undefined {
    return this.group.target;
  }

  get load(): number {
    return this.group.counts.leased;
  }

  get weight(): number {
    return this.group.weight;
  }
}
