import { badPick, type Picker, Rotation, startStrategy, type Strategy } from "../strategy/mod.ts";
import type { Target } from "../transport/mod.ts";
import type { AddressCandidate, Candidate } from "./candidate.ts";
import { destinationOf, familyOfTarget } from "./destination.ts";
import type { IpFamily } from "./ip.ts";
import type { Rests } from "./rests.ts";

/** What a strategy is told about who asks. */
export interface AddressRequest {
  /** Where the socket will lead to, if that is known already. */
  readonly target: Target | undefined;
}

/** What an address must be good for. */
export class AddressNeed implements AddressRequest {
  readonly target: Target | undefined;
  /** The family that leads to the target; `undefined` when both may. */
  readonly family: IpFamily | undefined;
  /** The target as rests are counted by. */
  readonly destination: string | undefined;
  /** Addresses that were tried already. */
  readonly tried: Set<string> = new Set();
  /**
   * Whether addresses will do that rest after a failure, when there is no other. Not for a second
   * try: it would only repeat the failure.
   */
  acceptsFailed = true;

  /** Reads what follows from the target. */
  constructor(target: Target | undefined) {
    this.target = target;
    this.family = familyOfTarget(target);
    this.destination = target === undefined ? undefined : destinationOf(target);
  }
}

/** The addresses that can be had now, in rotation, and the strategy that chooses among them. */
export class AddressChoice {
  #strategy: Strategy<AddressCandidate, AddressRequest>;
  #picker: Picker<AddressCandidate, AddressRequest>;
  #rests: Rests;
  #rotation = new Rotation<Candidate>();
  #turn = 0;
  #families = { 4: 0, 6: 0 };

  /** Without addresses. */
  constructor(strategy: Strategy<AddressCandidate, AddressRequest>, rests: Rests) {
    this.#strategy = strategy;
    this.#picker = startStrategy(strategy);
    this.#rests = rests;
  }

  /** It can be had; nothing happens when it could before. */
  add(candidate: Candidate): void {
    if (candidate.available) return;
    this.#rotation.insert(candidate);
    this.#families[candidate.family]++;
    this.#picker.added?.(candidate);
  }

  /** It can no longer be had. */
  remove(candidate: Candidate): void {
    if (!this.#rotation.remove(candidate)) return;
    this.#families[candidate.family]--;
    this.#picker.removed?.(candidate);
  }

  /** The number of its descriptors has changed. */
  changed(candidate: Candidate): void {
    if (candidate.available) this.#picker.changed?.(candidate);
  }

  /**
   * The address that the strategy chooses among those that are good for this need; it goes to the
   * end of the rotation. `undefined` when there is none, or the strategy wants none.
   *
   * @throws {TypeError} When the strategy chose what was not offered.
   */
  pick(need: AddressNeed): Candidate | undefined {
    if (this.#rotation.size === 0) return undefined;
    const request: AddressRequest = { target: need.target };
    const chosen = this.#allFit(need)
      ? this.#check(
        this.#picker.pick(this.#rotation.view(this.#picker.window), request),
        (candidate) => this.#rotation.has(candidate),
      )
      : this.#pickFitting(need, request);
    if (chosen === undefined) return undefined;
    this.#rotation.remove(chosen);
    chosen.turn = ++this.#turn;
    this.#rotation.insert(chosen);
    return chosen;
  }

  #allFit({ family, destination, tried }: AddressNeed): boolean {
    return (family === undefined || this.#families[family] === this.#rotation.size) &&
      tried.size === 0 && !this.#rests.some(destination);
  }

  /** Some are not good for this need: the strategy must not see them. */
  #pickFitting(need: AddressNeed, request: AddressRequest): Candidate | undefined {
    const fitting: Candidate[] = [];
    const hidden: Candidate[] = [];
    let soonest: { candidate: Candidate; untilMs: number } | undefined;
    for (const candidate of this.#rotation) {
      const fits = (need.family === undefined || candidate.family === need.family) &&
        !need.tried.has(candidate.hostname);
      const rest = fits ? this.#rests.find(candidate.hostname, need.destination) : undefined;
      if (fits && rest === undefined) fitting.push(candidate);
      else hidden.push(candidate);
      if (rest === undefined || rest.asked) continue;
      if (soonest === undefined || rest.untilMs < soonest.untilMs) {
        soonest = { candidate, untilMs: rest.untilMs };
      }
    }
    if (fitting.length === 0) return need.acceptsFailed ? soonest?.candidate : undefined;
    // A picker with notes of its own has to be told, too; that is why rests cost something.
    const picker = this.#picker;
    for (const candidate of hidden) picker.removed?.(candidate);
    try {
      const offered = picker.window === undefined ? fitting : fitting.slice(0, picker.window);
      return this.#check(
        picker.pick(offered, request),
        (candidate) => fitting.includes(candidate as Candidate),
      );
    } finally {
      for (const candidate of hidden) picker.added?.(candidate);
    }
  }

  #check(picked: unknown, isOffered: (value: unknown) => boolean): Candidate | undefined {
    if (picked === undefined) return undefined;
    if (!isOffered(picked)) throw badPick(this.#strategy, picked);
    return picked as Candidate;
  }
}
