import type { Socket, SocketAddress } from "../transport/mod.ts";
import type { Tether } from "./tether.ts";

/** How a binding has ended. */
export interface BindingEnd {
  /**
   * `closed`: the handler has closed the socket. `returned`: it gave the socket back. `failed`: it
   * threw, and the socket was aborted. `lost`: the thread has ended, and the socket with it. `cut`:
   * it did not give the socket back in time, which was aborted. `unmoved`: the thread never had it.
   */
  readonly reason: "closed" | "returned" | "failed" | "lost" | "cut" | "unmoved";
  /** Why, unless it is `closed` or `returned`. */
  readonly error?: unknown;
}

/** A socket and the thread that has it. */
export interface Binding {
  /** Its number in the group. */
  readonly id: number;
  /** The place of the thread that has it. */
  readonly thread: number;
  /** What was said about it. */
  readonly data: unknown;
  /** The end of the connection on this host. */
  readonly localAddress: SocketAddress;
  /** The far end. */
  readonly remoteAddress: SocketAddress;
  /** `moving` until the thread owns the socket, `bound` while it does, `ended` after that. */
  readonly state: "moving" | "bound" | "ended";
  /** Resolves when it has ended; it never rejects. */
  readonly ended: Promise<BindingEnd>;
}

/** The group's side of a {@linkcode Binding}. */
export class LiveBinding implements Binding {
  readonly id: number;
  readonly data: unknown;
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  readonly ended: Promise<BindingEnd>;
  /** Resolves when it is not `moving` any more. */
  readonly moved: Promise<void>;
  thread = -1;
  state: Binding["state"] = "moving";
  /** Cuts the connection where the thread's end does not. */
  tether: Tether | undefined;
  /** Takes the socket when the handler gives it back. */
  onReturn: ((socket: Socket) => void) | undefined;
  /** What `unbind` has promised. */
  unbinding: Promise<Socket | undefined> | undefined;
  #settle: (end: BindingEnd) => void;
  #settleMoved: () => void;

  constructor(id: number, { localAddress, remoteAddress }: Socket, data: unknown) {
    this.id = id;
    this.data = data;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    const ended = Promise.withResolvers<BindingEnd>();
    this.ended = ended.promise;
    this.#settle = ended.resolve;
    const moved = Promise.withResolvers<void>();
    this.moved = moved.promise;
    this.#settleMoved = moved.resolve;
  }

  /** The thread owns the socket; it may have let it go since. */
  bound(): void {
    if (this.state === "moving") this.state = "bound";
    this.#settleMoved();
  }

  /** It is over; the first end counts. */
  end(end: BindingEnd): void {
    if (this.state === "ended") return;
    this.state = "ended";
    if (end.reason === "lost" || end.reason === "cut") void this.tether?.cut();
    else this.tether?.drop();
    this.tether = undefined;
    this.#settleMoved();
    this.#settle(end);
  }
}
