import {
  type Clock,
  type Descriptors,
  JackfieldError,
  type OwnerLink,
  type Socket,
  systemClock,
  type Transport,
} from "../transport/mod.ts";
import { hostedOptions } from "./desk_hosted_options.ts";
import type { DownloadRequest, DownloadResult } from "./download_request.ts";
import { CANCELLED, DeskService, type ServiceHost } from "./desk_service.ts";
import type { DeskTake } from "./desk_take.ts";
import {
  type DeskOptions,
  type DoorMessage,
  type HookName,
  HOOKS,
  type Terms,
} from "./desk_words.ts";
import { InlineDesk } from "./inline_desk.ts";
import { DoorLink } from "./placement_door_link.ts";
import { readSettings } from "./settings.ts";

type Take = DeskTake<DeskService>;

/** A client, as long as it has downloads here. */
interface Client {
  takes: number;
  /** As the last of its downloads said. */
  terms: Terms;
}

/** Options of {@linkcode DeskHost}. */
export interface DeskHostOptions {
  /** Where the files come from. */
  readonly transport: Transport;
  /** Takes up connections of other threads. */
  readonly descriptors?: Descriptors;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/**
 * Serves the downloads of fronts in other threads or processes; the counterpart of `RemoteDesk`.
 *
 * The front that has started it says what is served and how, and decides over its end. Further
 * fronts come through doors: their words, and the tokens of their sockets, pass through the first.
 */
export class DeskHost implements ServiceHost {
  #options: DeskHostOptions;
  #clock: Clock;
  #owner: DeskService;
  #doors = new Map<number, { readonly link: DoorLink; readonly service: DeskService }>();
  #desk: InlineDesk | undefined;
  #takes = new WeakMap<DownloadRequest, Take>();
  #takesCount = 0;
  #clients = new Map<string, Client>();
  #emptied: (() => void)[] = [];
  #isClosing = false;
  /** What the desk has reported last, until it is known whose it is. */
  #reported: { readonly error: unknown } | undefined;
  #blamed = new WeakMap<WeakKey, DeskService>();

  /** Begins to listen to the front that has started it. */
  constructor(link: OwnerLink, options: DeskHostOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#owner = this.#serviceOf(link, true);
  }

  open(options: DeskOptions | undefined, hooks: readonly HookName[]): void {
    if (options === undefined) return this.#checkHooks(hooks);
    const all = hostedOptions(options, hooks, {
      transport: this.#options.transport,
      clock: this.#clock,
      takeOf: (request) => this.#takes.get(request)!,
      termsOf: (client) => this.#clients.get(client)!.terms,
      ended: (take, error) => this.#ended(take, error),
      report: (error) => this.#report(error),
    });
    this.#desk = new InlineDesk(all, readSettings(all));
  }

  async serve(socket: Socket, take: Take): Promise<DownloadResult> {
    const { request, terms, failure } = take;
    const desk = this.#desk;
    if (desk === undefined) throw closed();
    this.#takes.set(request, take);
    this.#takesCount++;
    if (terms !== undefined) this.#enter(terms);
    else this.blame(failure, take.front);
    return await desk.take(socket, request);
  }

  leave({ request, terms }: Take): void {
    if (!this.#takes.has(request)) return; // It was refused.
    if (terms !== undefined) {
      const client = this.#clients.get(terms.client)!;
      if (--client.takes === 0) this.#clients.delete(terms.client);
    }
    if (--this.#takesCount > 0) return;
    for (const told of this.#emptied.splice(0)) told();
  }

  check(): Promise<void> {
    return this.#desk === undefined ? Promise.reject(closed()) : this.#desk.check();
  }

  limit(bytesPerSecond: number): void {
    this.#desk?.limit(bytesPerSecond);
  }

  closing(): void {
    this.#isClosing = true;
    void this.#desk?.close();
    for (const { service } of this.#doors.values()) service.refuse();
  }

  async finish(): Promise<void> {
    this.closing();
    if (this.#takesCount > 0) await new Promise<void>((resolve) => this.#emptied.push(resolve));
    await this.#desk?.close();
  }

  abort(): void {
    this.closing();
    const message = "Cannot send download: the manager was aborted";
    this.#desk?.abort(new JackfieldError("DOWNLOAD_CLOSED", message, { operation: "send" }));
  }

  door(door: number, message: DoorMessage): void {
    const [kind] = message;
    if (kind === "post") return this.#doors.get(door)?.link.deliver(message[1]);
    this.#doors.get(door)?.link.end({ reason: "exited" });
    this.#doors.delete(door);
    if (kind === "end" || this.#isClosing) return;
    const link = new DoorLink((content) => this.#owner.pass(door, ["post", content]));
    this.#doors.set(door, { link, service: this.#serviceOf(link, false) });
  }

  blame(error: unknown, service: DeskService): void {
    if (typeof error === "object" && error !== null) this.#blamed.set(error, service);
  }

  #serviceOf(link: OwnerLink, isOwner: boolean): DeskService {
    const { descriptors } = this.#options;
    return new DeskService(link, { host: this, clock: this.#clock, descriptors, isOwner });
  }

  /** A hook that one front has and another one lacks would hold for some requests only. */
  #checkHooks(hooks: readonly HookName[]): void {
    const expected = this.#owner.hooks;
    const other = HOOKS.find((hook) => expected.includes(hook) !== hooks.includes(hook));
    if (other === undefined) return;
    const [has, lacks] = expected.includes(other)
      ? ["the manager", "who comes through the door"]
      : ["who comes through the door", "the manager"];
    throw new TypeError(`Cannot use door: ${has} has the hook "${other}", and ${lacks} has not`);
  }

  #enter(terms: Terms): void {
    const client = this.#clients.get(terms.client);
    if (client === undefined) return void this.#clients.set(terms.client, { takes: 1, terms });
    client.takes++;
    client.terms = terms;
  }

  #ended(take: Take, error: unknown): void {
    // The desk has just reported it: its front does so itself.
    if (this.#reported?.error === error) this.#reported = undefined;
    take.front.tell(take, "ended", error === CANCELLED ? undefined : error);
  }

  #report(error: unknown): void {
    this.#tellReported();
    if (error === CANCELLED) return;
    this.#reported = { error };
    queueMicrotask(() => this.#tellReported());
  }

  #tellReported(): void {
    if (this.#reported === undefined) return;
    const { error } = this.#reported;
    this.#reported = undefined;
    const blamed = typeof error === "object" && error !== null && this.#blamed.get(error);
    (blamed || this.#owner).report(error);
  }
}

function closed(): JackfieldError {
  const message = "Cannot serve download: the desk was not opened";
  return new JackfieldError("DOWNLOAD_CLOSED", message, { operation: "take" });
}
