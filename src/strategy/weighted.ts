import { LinkedList, type LinkedNode } from "./linked_list.ts";
import type { Picker, StatefulStrategy } from "./strategy.ts";

/**
 * Shares in proportion to weights: of the available ones, one with weight 3 is chosen three times as
 * often as one with weight 1, evenly spread instead of in bursts.
 *
 * A weight is a finite number of at least 0. With weight 0 a candidate is chosen only when nothing
 * else is there. The weight is read when a candidate becomes available and when the place says that
 * it has changed. Candidates with equal weights take turns.
 *
 * The shares are exact: what a candidate is owed stays with it while it is in use, and while its
 * weight changes. A choice looks at the different weights that there are, not at the candidates, so
 * it is cheap for a few weights and many candidates.
 *
 * @param weightOf reads the weight of a candidate
 *
 * @example
 * ```ts
 * import { startStrategy, weighted } from "@jackfield/jackfield/core";
 *
 * const picker = startStrategy(weighted<{ name: string; share: number }>(({ share }) => share));
 * for (const candidate of [{ name: "big", share: 3 }, { name: "small", share: 1 }]) {
 *   picker.added?.(candidate);
 * }
 * const names = Array.from({ length: 8 }, () => picker.pick([], undefined)?.name).join(" ");
 * if (names !== "big big small big big big small big") throw new Error(names);
 * ```
 */
export function weighted<Candidate extends object>(
  weightOf: (candidate: Candidate) => number,
): StatefulStrategy<Candidate, unknown> {
  if (typeof weightOf !== "function") {
    throw new TypeError(`Cannot use weight "${String(weightOf)}": expected a function`);
  }
  return { name: "weighted", start: () => new WeightedPicker(weightOf) };
}

/** A candidate, whether it is available or not. */
interface Member<Candidate> extends LinkedNode<Member<Candidate>> {
  readonly candidate: Candidate;
  /** Those that have its weight; `undefined` while it is not available. */
  group: Group<Candidate> | undefined;
  /** How many choices it is owed, kept while it is not available. */
  credit: number;
}

/** The available candidates of one weight. */
interface Group<Candidate> {
  readonly weight: number;
  /** In rotation. */
  readonly members: LinkedList<Member<Candidate>>;
  /** How many choices its members are owed together: 0.5 for half a choice, -1 for one too many. */
  credit: number;
}

/**
 * Smooth weighted round robin. With every choice each group is owed its share of one more, and the
 * group that is owed most has its turn. Credits are counted in choices, not in weights, so that they
 * mean the same when the weights or numbers of the available ones change.
 */
class WeightedPicker<Candidate extends object> implements Picker<Candidate, unknown> {
  readonly window = 0;
  #weightOf: (candidate: Candidate) => number;
  // Weak, because a candidate that is in use comes back, or is never heard of again.
  #members = new WeakMap<Candidate, Member<Candidate>>();
  #groups = new Map<number, Group<Candidate>>();
  /** The sum of all weights. */
  #total = 0;

  constructor(weightOf: (candidate: Candidate) => number) {
    this.#weightOf = weightOf;
  }

  pick(): Candidate | undefined {
    this.#share(1);
    let chosen: Group<Candidate> | undefined;
    for (const group of this.#groups.values()) {
      if (chosen === undefined || comesBefore(group, chosen)) chosen = group;
    }
    const member = chosen?.members.first;
    if (member === undefined) return undefined;
    if (chosen!.weight > 0) chosen!.credit--;
    // It may stay available, and then it is the others' turn.
    chosen!.members.remove(member);
    chosen!.members.append(member);
    return member.candidate;
  }

  added(candidate: Candidate): void {
    let member = this.#members.get(candidate);
    if (member === undefined) {
      member = { candidate, group: undefined, credit: 0, before: undefined, after: undefined };
      this.#members.set(candidate, member);
    }
    if (member.group === undefined) this.#join(member, this.#readWeight(candidate));
    else this.changed(candidate);
  }

  removed(candidate: Candidate): void {
    const member = this.#members.get(candidate);
    if (member?.group !== undefined) this.#leave(member, member.group);
  }

  changed(candidate: Candidate): void {
    const member = this.#members.get(candidate);
    if (member?.group === undefined) return;
    const weight = this.#readWeight(candidate);
    if (weight === member.group.weight) return;
    this.#leave(member, member.group);
    this.#join(member, weight);
  }

  #readWeight(candidate: Candidate): number {
    const weight = this.#weightOf(candidate);
    if (typeof weight === "number" && weight >= 0 && weight < Infinity) return weight;
    throw new RangeError(
      `Cannot use weight "${String(weight)}": expected a finite number of at least 0`,
    );
  }

  /** It brings back what it took along, at the cost of those that are here. */
  #join(member: Member<Candidate>, weight: number): void {
    this.#share(-member.credit);
    let group = this.#groups.get(weight);
    if (group === undefined) {
      group = { weight, members: new LinkedList(), credit: 0 };
      this.#groups.set(weight, group);
    }
    group.credit += member.credit;
    group.members.append(member);
    member.group = group;
    this.#total += weight;
  }

  /** It takes its part of what its group is owed along, and the others make up for that. */
  #leave(member: Member<Candidate>, group: Group<Candidate>): void {
    member.credit = group.credit / group.members.size;
    member.group = undefined;
    group.credit -= member.credit;
    group.members.remove(member);
    if (group.members.size === 0) this.#groups.delete(group.weight);
    this.#total = 0;
    for (const { weight, members } of this.#groups.values()) this.#total += weight * members.size;
    this.#share(member.credit);
  }

  /** Give out so many choices in proportion to the weights. */
  #share(choices: number): void {
    if (this.#total === 0) return;
    for (const group of this.#groups.values()) {
      group.credit += choices * group.weight * group.members.size / this.#total;
    }
  }
}

/** Owed more, or heavier and owed the same; nothing comes after weight 0. */
function comesBefore<C>(one: Group<C>, other: Group<C>): boolean {
  if (one.weight === 0 || other.weight === 0) return other.weight === 0;
  if (one.credit !== other.credit) return one.credit > other.credit;
  return one.weight > other.weight;
}
