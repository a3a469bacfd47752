import { type Server, Socket as NetSocket } from "node:net";
import {
  type ConnectionCarrier,
  copyListener,
  type LinkReceiver,
  type Listener,
  type OwnerEnd,
  type OwnerLink,
  type ParkedConnection,
  type Passage,
} from "../../transport/mod.ts";
import { HandleTurns } from "./handle_turns.ts";
import { pack, type Packed, unpack } from "./packed_message.ts";
import { resumeNet } from "./net_driver.ts";
import { adoptServers, type ArrivedServer } from "./net_transport.ts";
import { ParkedNet } from "./parked_net.ts";
import type { Wire } from "./wire.ts";

/** One end of the channel of `node:child_process`: a child, or the child's own process. */
export interface IpcEnd {
  /** Whether the channel stands. */
  readonly connected?: boolean;
  /** Send a message, perhaps with a socket. */
  send?(
    message: unknown,
    handle: Handle | undefined,
    options: { keepOpen: boolean },
    told: (error: Error | null | undefined) => void,
  ): boolean;
  /** Listen. */
  on(event: "message", told: (message: unknown, handle: unknown) => void): unknown;
}

/** What travels along with a frame. */
type Handle = NetSocket | Server;

type Frame =
  | readonly ["ready"]
  | readonly ["message", Packed]
  /** What belongs to the connection that comes next. */
  | readonly ["ahead", Packed]
  | readonly ["connection", Packed | undefined]
  /** One of the copies of a listener; the last one has what belongs to it. */
  | readonly ["listener", Packed | undefined, noDelay: boolean, keepAlive: boolean];

/**
 * In Deno a frame that comes along with a socket has to be read in one piece: the rest of it would
 * stand before the next socket, see {@linkcode HandleTurns}.
 */
const MAX_FRAME_BYTES = 8192;

const inDeno = "Deno" in globalThis;

/** A link to another process, over the channel of `node:child_process`. */
export class IpcLink implements OwnerLink {
  readonly kind = "process";
  readonly ended: Promise<OwnerEnd>;
  readonly carrier: ConnectionCarrier;
  #wire: Wire<Handle>;
  #receiver: LinkReceiver | undefined;
  #isOver = false;
  /** What waits until the script at the other end has begun to receive. */
  #waiting: (() => void)[] | undefined;
  #ahead: Packed | undefined;
  /** Copies of the listener that is just arriving. */
  #servers: ArrivedServer[] = [];

  /** `starts` at the end of the one who has started the other one. */
  constructor(end: IpcEnd, ended: Promise<OwnerEnd>, starts: boolean) {
    const wire = ipcWire(end);
    this.#wire = inDeno ? new HandleTurns(wire, starts) : wire;
    this.ended = ended;
    this.#waiting = starts ? [] : undefined;
    this.carrier = {
      refusal: (connection) =>
        connection instanceof NetSocket
          ? undefined
          : "a process takes sockets that were made to be `transferable`",
      send: (message, parked) => this.#send(message, parked),
    };
    void ended.then(() => this.#isOver = true);
    if (starts) this.#listen();
  }

  post(message: unknown, told?: (arrives: boolean) => void): void {
    const packed = pack(message);
    this.#when(() => this.#write(["message", packed], undefined, told));
  }

  async sendListener(listener: Listener, message: unknown): Promise<void> {
    const packed = pack(message);
    const copies = await copyListener(listener);
    this.#when(() => {
      for (const [index, { handle, options, drop }] of copies.entries()) {
        const { noDelay, keepAlive } = options;
        const content = index === copies.length - 1 ? packed : undefined;
        this.#write(["listener", content, noDelay, keepAlive], handle as Server, drop);
      }
    });
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    if (this.#waiting !== undefined) return;
    this.#listen();
    this.#write(["ready"]);
  }

  #send(message: unknown, parked: ParkedConnection): Passage {
    const socket = parked.connection as NetSocket;
    const packed = pack(message);
    const ahead = inDeno && JSON.stringify(packed).length > MAX_FRAME_BYTES;
    this.#when(() => {
      if (ahead) this.#write(["ahead", packed]);
      this.#write(ahead ? ["connection", undefined] : ["connection", packed], socket);
    });
    // The system keeps what is on its way, so that only the end of the link makes sure.
    return { withdraw: () => this.#isOver ? "returned" : "unknown" };
  }

  #listen(): void {
    this.#wire.listen((frame, handle) => this.#arrived(frame as Frame, handle));
  }

  #arrived(frame: Frame, handle: Handle | undefined): void {
    if (frame[0] === "listener") return this.#listenerArrived(frame, handle as Server);
    // Before anything else, or bytes would be read that belong to whoever resumes it.
    const connection = handle instanceof NetSocket
      ? ParkedNet.arrived(handle, resumeNet)
      : undefined;
    const [kind, content] = frame;
    if (kind === "ready") return this.#begin();
    if (kind === "ahead") {
      this.#ahead = content;
      return;
    }
    const packed = content ?? this.#ahead!;
    this.#ahead = undefined;
    this.#receiver?.message(unpack(packed), connection);
  }

  #listenerArrived(
    [, content, noDelay, keepAlive]: Frame & { readonly 0: "listener" },
    server: Server,
  ): void {
    this.#servers.push({ server, options: { noDelay, keepAlive } });
    if (content === undefined) return;
    const listener = adoptServers(this.#servers.splice(0));
    if (this.#receiver?.listener === undefined) void listener.close();
    else this.#receiver.listener(listener, unpack(content));
  }

  #begin(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const act of waiting) act();
  }

  #when(act: () => void): void {
    if (this.#waiting === undefined) act();
    else this.#waiting.push(act);
  }

  #write(frame: Frame, handle?: Handle, told?: (arrives: boolean) => void): void {
    if (this.#isOver) told?.(false);
    else this.#wire.write(frame, handle, told);
  }
}

function ipcWire(end: IpcEnd): Wire<Handle> {
  return {
    write(frame, handle, told) {
      if (end.connected !== true) return told?.(false);
      // The copy stays open here until the other end has said that it owns the connection.
      end.send!(frame, handle, { keepOpen: true }, (error) => told?.(!error));
    },
    listen(receive) {
      end.on("message", (frame, handle) => {
        if (Array.isArray(frame)) receive(frame, handle as Handle | undefined);
      });
    },
  };
}
