import { assert } from "@std/assert";
import { type Loaded, type Picker, Rotation, type RotationNode } from "../../src/strategy/mod.ts";
import { startStrategy, type Strategy } from "../../src/strategy/mod.ts";
import type { CandidateMaker } from "../../src/testing/mod.ts";
import type { Dice } from "../support/seeds.ts";

/** What several items share their load through. */
export class Team {
  /** The load of each of its members. */
  load = 0;
}

/** A candidate with everything that a strategy may look at. */
export class Item implements Loaded, RotationNode<Item> {
  before: Item | undefined;
  after: Item | undefined;
  available = false;
  rotation: object | undefined;
  turn = 0;
  readonly name: string;
  readonly group: Team | undefined;
  weight: number;
  #load = 0;

  constructor(name: string, options: { load?: number; weight?: number; group?: Team } = {}) {
    this.name = name;
    this.group = options.group;
    this.weight = options.weight ?? 1;
    this.#load = options.load ?? 0;
  }

  get load(): number {
    return this.group === undefined ? this.#load : this.group.load;
  }

  set load(load: number) {
    if (this.group === undefined) this.#load = load;
    else this.group.load = load;
  }
}

/** A place that uses a strategy, as small as it can be. */
export class Place<Request = undefined> {
  readonly rotation: Rotation<Item> = new Rotation<Item>();
  readonly picker: Picker<Item, Request>;
  #turn = 0;

  constructor(strategy: Strategy<Item, Request>, items: Iterable<Item> = []) {
    this.picker = startStrategy(strategy);
    for (const item of items) this.add(item);
  }

  /** It became available. */
  add(item: Item): void {
    if (item.turn === 0) item.turn = ++this.#turn;
    this.rotation.insert(item);
    this.picker.added?.(item);
  }

  /** It is no longer available. */
  remove(item: Item): void {
    assert(this.rotation.remove(item), `${item.name} is not here`);
    this.picker.removed?.(item);
  }

  /** Its load or weight is another one now. */
  change(item: Item, facts: { load?: number; weight?: number }): void {
    Object.assign(item, facts);
    if (item.available) this.picker.changed?.(item);
  }

  /** Ask for one; it stays available. */
  pick(request: Request): Item | undefined {
    const { window } = this.picker;
    const picked = this.picker.pick(this.rotation.view(window), request);
    if (picked === undefined) return undefined;
    assert(this.rotation.has(picked), "what was chosen is not available");
    this.rotation.remove(picked);
    picked.turn = ++this.#turn;
    this.rotation.insert(picked);
    return picked;
  }

  /** Ask for one and take it out. */
  take(request: Request): Item | undefined {
    const picked = this.pick(request);
    if (picked !== undefined) this.remove(picked);
    return picked;
  }

  /** Ask so many times, and put each back at once; the names of what was chosen. */
  turns(count: number, request: Request): string[] {
    return Array.from({ length: count }, () => {
      const picked = this.take(request);
      if (picked !== undefined) this.add(picked);
      return picked?.name ?? "none";
    });
  }
}

/**
 * Candidates for `strategyModel`, some of them in teams, with loads and weights that the dice give; each
 * place has teams of its own.
 */
export function itemMaker<Request>(
  request: (dice: Dice) => Request,
): CandidateMaker<Item, Request> {
  let teams: Team[] = [];
  return {
    candidate(number, dice) {
      if (number === 0) teams = [new Team(), new Team(), new Team()]; // Another place begins.
      const group = dice.oneOf([...teams, undefined, undefined]);
      const weight = dice.oneOf([0, 1, 2, 3.5]);
      return new Item(String(number), { load: dice.below(4), weight, ...(group && { group }) });
    },
    request,
    change(item, dice) {
      const jumps = dice.below(10) === 0;
      item.load = jumps ? dice.below(1000) : Math.abs(item.load + dice.below(3) - 1);
    },
  };
}

/** So many of these candidates. */
export function someItems(dice: Dice, count: number): Item[] {
  const { candidate } = itemMaker(() => undefined);
  return Array.from({ length: count }, (_, number) => candidate(number, dice));
}

/** Let a place live: candidates come, go, change and are chosen; returns what was chosen. */
export function churn<Request>(
  place: Place<Request>,
  items: readonly Item[],
  dice: Dice,
  steps: number,
  requestOf: () => Request,
): string[] {
  const chosen: string[] = [];
  for (let step = 0; step < steps; step++) {
    const item = dice.oneOf(items);
    const what = dice.random();
    // Many and few are there in turns, and at times none.
    const comes = step % 600 < 300 ? 0.4 : 0.2;
    if (what < comes) {
      if (!item.available) place.add(item);
    } else if (what < 0.5) {
      if (item.available) place.remove(item);
    } else if (what < 0.7) {
      const load = dice.random() < 0.9 ? Math.abs(item.load + dice.below(3) - 1) : dice.below(1000);
      const teammate = items.find(({ group, available }) =>
        available && group !== undefined && group === item.group
      );
      place.change(teammate ?? item, { load });
    } else if (what < 0.75) {
      place.change(item, { weight: dice.oneOf([0, 1, 2, 3.5]) });
    } else {
      const request = requestOf();
      const picked = dice.random() < 0.8 ? place.take(request) : place.pick(request);
      chosen.push(picked?.name ?? "none");
      if (picked !== undefined) picked.load++;
      if (picked?.available) place.picker.changed?.(picked);
      else if (picked?.group !== undefined) {
        const teammate = items.find(({ group, available }) => available && group === picked.group);
        if (teammate !== undefined) place.picker.changed?.(teammate);
      }
    }
  }
  return chosen;
}

/** How often each stands there. */
export function countsOf(names: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** How far counts are from equal shares; a large value means that they are not equal. */
export function chiSquared(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
