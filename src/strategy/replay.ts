import type { CandidateDecision, Decision, Facts, PickDecision } from "./decision.ts";
import { Rotation, type RotationNode } from "./rotation.ts";
import { badPick, type Picker, startStrategy, type Strategy } from "./strategy.ts";

/** A candidate as a log remembers it: its facts as fields. */
export interface ReplayCandidate {
  /** Its number in its place. */
  readonly id: number;
  /** Its load, or that of its group; 0 if the log does not know it. */
  readonly load: number;
  /** What it shares its load with. */
  readonly group?: object | undefined;
  /** Its weight, if the log knows it. */
  readonly weight?: number;
  /** Whatever else `describe` read. */
  readonly [fact: string]: unknown;
}

/** One choice, then and now. */
export interface ReplayedPick {
  /** The entry's place in the log. */
  readonly sequence: number;
  /** Which place asked. */
  readonly place: number;
  /** The number of the candidate that was chosen then; `null` for none. */
  readonly recorded: number | null;
  /** The number of the candidate that is chosen now; `null` for none. */
  readonly replayed: number | null;
}

/** How often one candidate was chosen, then and now. */
export interface ReplayedCandidate {
  /** Which place it belongs to. */
  readonly place: number;
  /** Its number in that place. */
  readonly candidate: number;
  /** What was read from it last. */
  readonly facts: Facts;
  /** Choices of the recorded strategy. */
  readonly recorded: number;
  /** Choices of this one. */
  readonly replayed: number;
}

/** What {@linkcode replay} finds. */
export interface Replay {
  /** Every choice, in the order of the log. */
  readonly picks: readonly ReplayedPick[];
  /** Every candidate, in the order in which they became available. */
  readonly candidates: readonly ReplayedCandidate[];
  /** How many choices are the same. */
  readonly same: number;
  /** Whether the log goes on to the end of what happened, as far as it tells. */
  readonly isComplete: boolean;
}

/**
 * Ask another strategy what it had chosen in the situations that a log recorded.
 *
 * Each choice is made in the recorded situation: among the candidates that were available at that
 * moment, with the facts that they had then, and for the same request. What this strategy chooses
 * changes nothing of that; what follows is again what was recorded. So the result says how the
 * strategies differ from choice to choice, and it does not say what loads the other one had led to.
 *
 * Candidates are rebuilt from their facts: a strategy reads `load`, `weight`, `group` and what else
 * `describe` had read as it would from the candidates themselves, and requests are what
 * `describeRequest` had read. The order of rotation is that of the recorded choices; what a place
 * gave to a waiting task without a choice is not in it.
 *
 * @param log what {@linkcode recorded} wrote, or the same read back from JSON
 * @throws {TypeError} When an entry is none, or the strategy chooses what is not available.
 *
 * @example What would the least busy one have been?
 * ```ts
 * import {
 *   type Decision,
 *   leastBusy,
 *   recorded,
 *   replay,
 *   roundRobin,
 *   startStrategy,
 * } from "@jackfield/jackfield/core";
 *
 * const log: Decision[] = [];
 * const picker = startStrategy(recorded(roundRobin<{ load: number }>(), log));
 * const [busy, idle] = [{ load: 5 }, { load: 0 }];
 * for (const candidate of [busy, idle]) picker.added?.(candidate);
 * picker.pick([busy], undefined);
 *
 * const { picks: [pick], same } = replay(log, leastBusy());
 * if (pick?.recorded !== 1 || pick.replayed !== 2 || same !== 0) throw new Error("unexpected");
 * ```
 */
export function replay(
  log: readonly Decision[],
  strategy: Strategy<ReplayCandidate, Facts>,
): Replay {
  const places = new Map<number, ReplayPlace>();
  const picks: ReplayedPick[] = [];
  let isComplete = true;
  log.forEach((decision, at) => {
    const place = places.get(decision?.place);
    switch (decision?.event) {
      case "start":
        places.set(decision.place, new ReplayPlace(strategy));
        return;
      case "full":
        isComplete = false;
        return;
      case "added":
      case "removed":
      case "changed":
        if (place === undefined) throw badEntry(at, "its place has no start before it");
        place.tell(decision, at);
        return;
      case "pick":
        if (place === undefined) throw badEntry(at, "its place has no start before it");
        picks.push(place.pick(decision));
        return;
      default:
        throw badEntry(at, `its event is "${(decision as Partial<Decision> | null)?.event}"`);
    }
  });
  const candidates = [...places].flatMap(([place, { known }]) =>
    [...known.values()].map(({ candidate: { id }, facts, recorded, replayed }) => (
      { place, candidate: id, facts, recorded, replayed }
    ))
  );
  const same = picks.filter(({ recorded, replayed }) => recorded === replayed).length;
  return { picks, candidates, same, isComplete };
}

function badEntry(at: number, why: string): TypeError {
  return new TypeError(`Cannot replay entry ${at} of log: ${why}`);
}

/** The load that the members of a group share. */
interface Group {
  load: number;
}

/** A candidate that the log told of. */
class Known implements RotationNode<Known> {
  readonly candidate: ReplayCandidate;
  facts: Facts = {};
  recorded = 0;
  replayed = 0;
  before: Known | undefined;
  after: Known | undefined;
  available = false;
  rotation: object | undefined;
  turn: number;

  constructor(candidate: ReplayCandidate, turn: number) {
    this.candidate = candidate;
    this.turn = turn;
  }

  /** Take the facts over, but for those that only the log gives. */
  learn(facts: Facts): void {
    this.facts = facts;
    const { id: _id, group: _group, ...own } = facts;
    Object.assign(this.candidate, own);
  }
}

/** One place, rebuilt from what the log tells of it. */
class ReplayPlace {
  readonly known: Map<number, Known> = new Map();
  #strategy: Strategy<ReplayCandidate, Facts>;
  #picker: Picker<ReplayCandidate, Facts>;
  #byCandidate = new WeakMap<object, Known>();
  #groups = new Map<number, Group>();
  #available = new Rotation<Known>();
  #turn = 0;

  constructor(strategy: Strategy<ReplayCandidate, Facts>) {
    this.#strategy = strategy;
    this.#picker = startStrategy(strategy);
  }

  tell(decision: CandidateDecision, at: number): void {
    const { event, facts } = decision;
    if (event === "added") return this.#add(decision);
    const known = this.known.get(decision.candidate);
    if (known === undefined) throw badEntry(at, `candidate ${decision.candidate} was not added`);
    known.learn(facts);
    if (event === "changed") return this.#picker.changed?.(known.candidate);
    if (this.#available.remove(known)) this.#picker.removed?.(known.candidate);
  }

  pick({ sequence, place, choice, request }: PickDecision): ReplayedPick {
    const { window } = this.#picker;
    const candidates = this.#available.view(window).map(({ candidate }) => candidate);
    const picked = this.#picker.pick(candidates, request);
    const replayed = picked === undefined ? undefined : this.#byCandidate.get(picked);
    if (picked !== undefined && !this.#available.has(replayed)) {
      throw badPick(this.#strategy, picked);
    }
    if (replayed !== undefined) replayed.replayed++;
    const recorded = choice === null ? undefined : this.known.get(choice);
    if (recorded !== undefined) this.#choose(recorded);
    return { sequence, place, recorded: choice, replayed: replayed?.candidate.id ?? null };
  }

  /** What was chosen goes to the end of the rotation, whether it stays available or comes back. */
  #choose(known: Known): void {
    known.recorded++;
    const wasAvailable = this.#available.remove(known);
    known.turn = ++this.#turn;
    if (wasAvailable) this.#available.insert(known);
  }

  #add({ candidate: id, group, facts }: CandidateDecision): void {
    let known = this.known.get(id);
    if (known === undefined) {
      known = new Known(rebuild(id, this.#groupOf(group)), ++this.#turn);
      this.known.set(id, known);
      this.#byCandidate.set(known.candidate, known);
    }
    known.learn(facts);
    if (!known.available) this.#available.insert(known);
    this.#picker.added?.(known.candidate);
  }

  #groupOf(id: number | undefined): Group | undefined {
    if (id === undefined) return undefined;
    let group = this.#groups.get(id);
    if (group === undefined) this.#groups.set(id, group = { load: 0 });
    return group;
  }
}

/** A candidate without facts yet; one of a group reads and writes the group's load. */
function rebuild(id: number, group: Group | undefined): ReplayCandidate {
  if (group === undefined) return { id, load: 0 };
  return {
    id,
    group,
    get load(): number {
      return group.load;
    },
    set load(load: number) {
      group.load = load;
    },
  };
}
