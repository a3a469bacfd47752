import { type Clock, delay } from "../../transport/mod.ts";
import { type BackoffOptions, waitAfter } from "../backoff.ts";
import type { BundleEngine } from "./bundle_engine.ts";
import type { Member } from "./member.ts";
import { need } from "./striped_options.ts";

/** No bundle has more. */
export const MOST_SOCKETS = 64;
/** A connection that did not stand for so long was none: the next one waits. */
const STEADY_MS = 1000;

/** What a dialer is made with. */
export interface DialerOptions extends BackoffOptions {
  readonly engine: BundleEngine;
  readonly clock: Clock;
  /** Open a connection and have it join; `undefined` when the bundle turns out to be over. */
  dial(signal: AbortSignal): Promise<Member | undefined>;
}

/** A place in the bundle: it has a connection, or is on the way to one. */
interface Place {
  readonly controller: AbortController;
  member: Member | undefined;
}

/** Keeps a bundle at the size that is wanted: each place dials anew when its connection is lost. */
export class Dialer {
  #options: DialerOptions;
  #places: Place[] = [];

  /** The first place has a connection already. */
  constructor(options: DialerOptions, first: Member) {
    this.#options = options;
    this.#open(first);
  }

  /** How many places there are. */
  get sockets(): number {
    return this.#places.length;
  }

  /** See {@linkcode Bundle.resize}. */
  resize(sockets: number): void {
    need({ sockets }, "sockets", 1, MOST_SOCKETS);
    while (this.#places.length > sockets) {
      const { controller, member } = this.#places.pop()!;
      controller.abort();
      if (member !== undefined) this.#options.engine.retire(member);
    }
    while (this.#places.length < sockets) this.#open(undefined);
  }

  /** Dial no more. */
  stop(): void {
    for (const { controller } of this.#places) controller.abort();
  }

  #open(member: Member | undefined): void {
    const place: Place = { controller: new AbortController(), member };
    this.#places.push(place);
    void this.#keep(place);
  }

  async #keep(place: Place): Promise<void> {
    const { engine, clock } = this.#options;
    const { signal } = place.controller;
    for (let failures = 0; !signal.aborted && !engine.isOver;) {
      try {
        if (place.member === undefined) {
          if (failures > 0) await delay(clock, waitAfter(failures, this.#options), signal);
          place.member = await this.#options.dial(signal);
          if (place.member === undefined) return;
        }
        const beganMs = clock.now();
        await place.member.left;
        place.member = undefined;
        failures = clock.now() - beganMs < STEADY_MS ? failures + 1 : 0;
      } catch (error) {
        failures++;
        if (!signal.aborted) engine.report(error, "connect");
      }
    }
  }
}
