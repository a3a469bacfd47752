import type { Transport } from "../transport/mod.ts";
import type { DoorMessage } from "./desk_words.ts";
import { DoorLink } from "./placement_door_link.ts";
import type { LineSource, OpenLink } from "./remote_line.ts";

/** What doors need of the front that has the way to the desk. */
export interface DoorKeeper {
  /** Say something to the desk, if there is one. */
  say(door: number, message: DoorMessage): void;
  /** Start the desk unless there is one; rejects when that fails. */
  need(): Promise<unknown>;
}

/**
 * The doors of a manager: fronts in other threads come through them to its desk. What they say, and
 * what they are told, passes through this front; their sockets do not, of which they send tokens.
 */
export class Doors {
  #keeper: DoorKeeper;
  #ports = new Map<number, MessagePort>();
  /** Those whose front has begun with the present desk. */
  #open = new Set<number>();
  #lastDoor = 0;

  /** There are none. */
  constructor(keeper: DoorKeeper) {
    this.#keeper = keeper;
  }

  /** Make another one. */
  make(): MessagePort {
    const door = ++this.#lastDoor;
    const { port1, port2 } = new MessageChannel();
    this.#ports.set(door, port1);
    port1.onmessage = ({ data }) => this.#heard(door, data as DoorMessage);
    (port1 as unknown as { unref?(): void }).unref?.(); // Only what goes through it counts.
    return port2;
  }

  /** The desk says something to a front. */
  pass(door: number, message: DoorMessage): void {
    if (this.#open.has(door)) this.#ports.get(door)?.postMessage(message);
  }

  /** The desk has ended; another one may follow. */
  lost(why: string): void {
    for (const door of this.#open) {
      this.#ports.get(door)?.postMessage(["end", why] satisfies DoorMessage);
    }
    this.#open.clear();
  }

  /** There is no desk any more, and no other one will be. */
  close(): void {
    this.lost("the manager is closed");
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
  }

  #heard(door: number, message: DoorMessage): void {
    switch (message[0]) {
      case "open":
        this.#keeper.need().then(
          () => {
            this.#open.add(door);
            this.#keeper.say(door, message);
            this.pass(door, message);
          },
          (error) => this.#ports.get(door)?.postMessage(["end", String(error)]),
        );
        return;
      case "post":
        if (this.#open.has(door)) this.#keeper.say(door, message);
        return;
      case "end":
        this.#open.delete(door);
        return this.#keeper.say(door, message);
    }
  }
}

/** Ways to the desk of a manager in another thread, through one of its doors. */
export class DoorSource implements LineSource {
  readonly kind = "thread";
  readonly endsWhenIdle = false;
  readonly isOwner = false;
  #port: MessagePort;
  #transport: Transport;
  #link: DoorLink | undefined;
  #opened: PromiseWithResolvers<void> | undefined;

  /** The port is this one's from now on. */
  constructor(port: MessagePort, transport: Transport) {
    this.#port = port;
    this.#transport = transport;
  }

  async open(): Promise<OpenLink> {
    const descriptors = await this.#transport.host.descriptors!();
    if (this.#opened === undefined) {
      this.#port.onmessage = ({ data }) => this.#heard(data as DoorMessage);
    }
    this.#opened = Promise.withResolvers();
    this.#port.postMessage(["open"] satisfies DoorMessage);
    await this.#opened.promise;
    const link = this.#link!;
    return {
      link,
      descriptors,
      end: () => {
        if (this.#link === link) {
          this.#port.postMessage(["end"] satisfies DoorMessage);
          link.end({ reason: "terminated" });
        }
        return link.ended;
      },
      ref: (isNeeded) => {
        const port = this.#port as unknown as { ref?(): void; unref?(): void };
        if (isNeeded) port.ref?.();
        else port.unref?.();
      },
    };
  }

  #heard(message: DoorMessage): void {
    switch (message[0]) {
      case "open":
        this.#link = new DoorLink((content) => {
          this.#port.postMessage(["post", content] satisfies DoorMessage);
        });
        return this.#opened?.resolve();
      case "post":
        return this.#link?.deliver(message[1]);
      case "end": {
        const error = new Error(message[1]);
        this.#opened?.reject(error);
        this.#link?.end({ reason: "failed", error });
        this.#link = undefined;
      }
    }
  }
}
