import type { FairPushOptions } from "../../src/queue/mod.ts";

interface Member {
  readonly value: number;
  readonly priority: number;
  readonly rank: number;
  readonly order: number;
  readonly cost: number;
}

interface Account {
  readonly name: string;
  weight: number;
  base: number;
  used: number;
  members: Member[];
}

/**
 * What a FairQueue does, said with plain arrays. Costs must be whole numbers and weights powers of
 * two, so that no sum is rounded.
 */
export class FairModel {
  /** Those on whose account somebody waits, or who were served ahead of the time. */
  known: Account[] = [];
  #weightOf: (tenant: string) => number;
  #agingMs: number;
  #arrivals = 0;
  #now = 0;
  #owed = 0;

  constructor(weightOf: (tenant: string) => number, agingMs: number) {
    this.#weightOf = weightOf;
    this.#agingMs = agingMs;
  }

  get length(): number {
    return this.known.reduce((sum, { members }) => sum + members.length, 0);
  }

  get tenants(): number {
    return this.#waiting().length;
  }

  push(
    value: number,
    { tenant = "", priority = 0, cost = 1, nowMs = 0 }: FairPushOptions,
  ): void {
    if (this.length === 0) this.#reset();
    let account = this.known.find(({ name }) => name === tenant);
    if (account === undefined) {
      account = { name: tenant, weight: 1, base: 0, used: 0, members: [] };
      this.known.push(account);
    }
    if (account.members.length === 0) {
      account.base = Math.max(tagOf(account), this.#now);
      account.used = 0;
      account.weight = this.#weightOf(tenant);
    }
    const rank = nowMs - priority * this.#agingMs;
    account.members.push({ value, priority, rank, order: this.#arrivals++, cost });
  }

  peek(): number | undefined {
    const account = this.#next();
    return account && headOf(account).value;
  }

  shift(): number | undefined {
    const account = this.#next();
    if (account === undefined) return undefined;
    const head = headOf(account);
    const tag = tagOf(account);
    const alone = this.known.length === 1;
    this.#now = alone ? tag : Math.max(this.#now + this.#owed / this.#weights(), tag);
    account.used += head.cost;
    this.#owed = head.cost;
    account.members = account.members.filter((member) => member !== head);
    if (!alone) this.#forget();
    return head.value;
  }

  remove(value: number): boolean {
    for (const account of this.known) {
      const rest = account.members.filter((member) => member.value !== value);
      if (rest.length === account.members.length) continue;
      account.members = rest;
      if (this.known.length > 1) this.#forget();
      return true;
    }
    return false;
  }

  #forget(): void {
    this.known = this.known.filter((one) => one.members.length > 0 || tagOf(one) > this.#now);
    const [account] = this.known;
    if (this.known.length !== 1 || account === undefined) return;
    account.base = Math.max(0, tagOf(account) - this.#now - this.#owed / account.weight);
    account.used = this.#now = this.#owed = 0;
  }

  #reset(): void {
    this.known = [];
    this.#arrivals = this.#now = this.#owed = 0;
  }

  #waiting(): Account[] {
    return this.known.filter(({ members }) => members.length > 0);
  }

  #weights(): number {
    return this.known.reduce((sum, { weight }) => sum + weight, 0);
  }

  #next(): Account | undefined {
    return this.#waiting().sort((one, other) =>
      tagOf(one) - tagOf(other) || headOf(one).order - headOf(other).order
    )[0];
  }
}

function tagOf({ base, used, weight }: Account): number {
  return base + used / weight;
}

/** Of the first of each priority, the one with the least rank. */
function headOf({ members }: Account): Member {
  return members
    .filter((one, at) => members.findIndex(({ priority }) => priority === one.priority) === at)
    .sort((one, other) => one.rank - other.rank || one.order - other.order)[0]!;
}
