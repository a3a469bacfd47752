import type { Clock, SocketAddress } from "../../transport/mod.ts";
import { Alarm } from "./alarm.ts";
import { ASK } from "./frame.ts";
import type { Member } from "./member.ts";
import { stalledMember } from "./striped_errors.ts";

/** What is watched. */
interface Watched {
  readonly members: readonly Member[];
  readonly outgoing: { readonly hasUnsent: boolean; readonly isBlocked: boolean };
  /** Nothing moves on one that carries something. */
  stall(member: Member): void;
  pump(): void;
}

/** How long is too long. */
interface StallLimits {
  readonly clock: Clock;
  readonly resendAfterMs: number;
  readonly stallTimeoutMs: number;
  readonly remoteAddress: SocketAddress;
}

/** So often is looked within the time until units are sent again. */
const LOOKS = 8;
/** The part of that time after which they are, when everything else waits for them. */
const EARLY = 1 / 4;
/** How many turns without a byte, each of half the time limit, are too many. */
const SILENT_TURNS = 2;

/** Finds the connections of a bundle on which nothing moves, although nothing says so. */
export class StallWatch {
  #watched: Watched;
  #limits: StallLimits;
  #flights: Alarm;
  #silence: Alarm;
  #askedMs = 0;

  /** Looks for silence from now on, and for stalls when it is set. */
  constructor(watched: Watched, limits: StallLimits) {
    const { clock, resendAfterMs, stallTimeoutMs } = limits;
    this.#watched = watched;
    this.#limits = limits;
    this.#flights = new Alarm(clock, resendAfterMs / LOOKS, () => this.#lookAtFlights());
    this.#silence = new Alarm(clock, stallTimeoutMs / 2, () => this.#breakSilence());
    this.#silence.set();
  }

  /** There is something on its way, or something that waits. */
  set(): void {
    this.#flights.set();
  }

  /** It is over. */
  stop(): void {
    this.#flights.stop();
    this.#silence.stop();
  }

  /** What is on a connection where nothing moves is sent on another one; in the end it is given up. */
  #lookAtFlights(): void {
    const { clock, resendAfterMs, stallTimeoutMs, remoteAddress } = this.#limits;
    const { outgoing, members } = this.#watched;
    const nowMs = clock.now();
    const carriers = members.filter(({ hasFlights }) => hasFlights);
    if (carriers.length > 0) this.#flights.set();
    else if (outgoing.hasUnsent && nowMs - this.#askedMs >= resendAfterMs) {
      // A word of the far end about more room may have been lost with its connection.
      this.#askedMs = nowMs;
      for (const member of members) member.tell(ASK);
    }
    const { isBlocked } = outgoing;
    for (const member of carriers) {
      const stillMs = nowMs - member.movedMs;
      const isEarly = isBlocked && stillMs >= resendAfterMs * EARLY && this.#isLeftBehind(member);
      if (stillMs >= stallTimeoutMs) member.abort(stalledMember(remoteAddress, stallTimeoutMs));
      else if ((isEarly || stillMs >= resendAfterMs) && !member.isStalled) {
        this.#watched.stall(member);
      }
    }
    this.#watched.pump();
  }

  /** Whether others went on when it stopped: it is not the far end that takes its time. */
  #isLeftBehind(member: Member): boolean {
    return this.#watched.members.some((other) =>
      other !== member && !other.isStalled && (!other.hasFlights || other.movedMs > member.movedMs)
    );
  }

  /**
   * A far end that is gone without a word, or a way that leads nowhere, is found out although there is
   * nothing to send: it may be the other side that has.
   */
  #breakSilence(): void {
    const { stallTimeoutMs, remoteAddress } = this.#limits;
    this.#silence.set();
    for (const member of [...this.#watched.members]) {
      if (++member.silentTurns <= SILENT_TURNS) member.tell(ASK);
      else member.abort(stalledMember(remoteAddress, stallTimeoutMs));
    }
  }
}
