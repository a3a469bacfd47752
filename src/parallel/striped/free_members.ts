import { badPick, type Picker, startStrategy, type Strategy } from "../../strategy/mod.ts";
import type { BundleMember, Member } from "./member.ts";

/** What a strategy is told of a unit that needs a connection. */
export interface UnitRequest {
  /** Where in the stream it begins. */
  readonly offset: number;
  /** Its bytes. */
  readonly bytes: number;
}

/** The connections that can be given a unit, and the strategy that chooses among them. */
export class FreeMembers {
  #strategy: Strategy<BundleMember, UnitRequest>;
  #picker: Picker<BundleMember, UnitRequest>;
  #members: Member[] = [];

  /** None yet. */
  constructor(strategy: Strategy<BundleMember, UnitRequest>) {
    this.#strategy = strategy;
    this.#picker = startStrategy(strategy);
  }

  /** The one that was not given any for the longest time first. */
  get members(): readonly Member[] {
    return this.#members;
  }

  /** Look again whether one is free. */
  update(member: Member): void {
    const at = this.#members.indexOf(member);
    if (member.isFree === at >= 0) return;
    if (at < 0) {
      this.#members.push(member);
      this.#picker.added?.(member);
    } else {
      this.#members.splice(at, 1);
      this.#picker.removed?.(member);
    }
  }

  /** Choose one; `undefined` when the strategy would rather wait. */
  pick(request: UnitRequest): Member | undefined {
    const picked = this.#picker.pick(this.#members, request);
    if (picked === undefined) return undefined;
    const member = this.#members.find((free) => free === picked);
    if (member === undefined) throw badPick(this.#strategy, picked);
    return member;
  }

  /** None is free any more. */
  clear(): void {
    for (const member of this.#members.splice(0)) this.#picker.removed?.(member);
  }
}
