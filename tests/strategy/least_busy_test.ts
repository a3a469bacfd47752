import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  leastBusy,
  type Picker,
  startStrategy,
  type StatefulStrategy,
} from "../../src/strategy/mod.ts";
import { property, strategyModel } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { Item, itemMaker, Place, Team } from "./tools.ts";

const itemsOf = (loads: readonly number[]): Item[] =>
  loads.map((load, at) => new Item(String(at), { load }));

test("leastBusy() takes the one with the least load (P4)", () => {
  const place = new Place(leastBusy<Item>(), itemsOf([3, 1, 2]));
  const names = [1, 2, 3, 4].map(() => place.take(undefined)?.name);
  assertEquals(names, ["1", "2", "0", undefined]);
});

test("leastBusy() takes turns at the same load, the one that came first before (P4)", () => {
  const place = new Place(leastBusy<Item>(), itemsOf([0, 0, 0]));
  assertEquals(place.turns(7, undefined), ["0", "1", "2", "0", "1", "2", "0"]);
});

test("leastBusy() follows a load that changes, by steps and by leaps (P4)", () => {
  const items = itemsOf([0, 0, 0]);
  const place = new Place(leastBusy<Item>(), items);
  const [a, b, c] = items as [Item, Item, Item];
  const cases: [Item, number, Item][] = [
    [a, 1, b],
    [b, 2, c],
    [c, 1_000_000, a],
    [a, 3, b],
    [b, 1_000_001, a],
    [a, 1_000_002, c],
    [b, 0, b],
    [a, 0.5, b],
    [b, 0.75, a],
    [a, Infinity, b],
  ];
  for (const [item, load, expected] of cases) {
    place.change(item, { load });
    assertEquals(place.pick(undefined), expected, `${item.name} has ${load}`);
  }
});

test("leastBusy() rotates over candidates that stay available (P4)", () => {
  const place = new Place(leastBusy<Item>(), itemsOf([0, 0, 0]));
  const names: string[] = [];
  for (let task = 0; task < 7; task++) {
    const item = place.pick(undefined)!;
    names.push(item.name);
    place.change(item, { load: item.load + 1 });
  }
  assertEquals(names.join(""), "0120120");
  // One at a time: each begins and ends before the next.
  const calm = new Place(leastBusy<Item>(), itemsOf([0, 0, 0]));
  names.length = 0;
  for (let task = 0; task < 6; task++) {
    const item = calm.pick(undefined)!;
    names.push(item.name);
    calm.change(item, { load: 1 });
    calm.change(item, { load: 0 });
  }
  assertEquals(names.join(""), "012012");
});

test("leastBusy() is told of a group's load through any member (P4)", () => {
  const [one, other] = [new Team(), new Team()];
  const items = ["a", "b", "c"].map((name) => new Item(name, { group: one }));
  const far = new Item("far", { group: other });
  const place = new Place(leastBusy<Item>(), [...items, far]);
  place.change(items[2]!, { load: 2 });
  assertEquals(place.pick(undefined), far);
  place.change(far, { load: 3 });
  assertEquals(place.pick(undefined)?.name, "a");
  place.change(items[1]!, { load: 4 });
  assertEquals(place.pick(undefined), far);
});

test("leastBusy() spreads over the groups first, then within each (P4)", () => {
  const teams = [new Team(), new Team()];
  const items = teams.flatMap((group, at) =>
    ["a", "b"].map((name) => new Item(`${at}${name}`, { group }))
  );
  const place = new Place(leastBusy<Item>(), items);
  const taken: Item[] = [];
  for (let task = 0; task < 4; task++) {
    const item = place.take(undefined)!;
    taken.push(item);
    item.load++;
    const mate = items.find(({ group, available }) => available && group === item.group);
    if (mate !== undefined) place.picker.changed!(mate);
  }
  assertEquals(taken.map(({ name }) => name), ["0a", "1a", "0b", "1b"]);
});

test("leastBusy() lets the groups take turns while their loads stay the same (P4)", () => {
  const teams = [new Team(), new Team()];
  const items = teams.flatMap((group, at) =>
    ["a", "b"].map((name) => new Item(`${at}${name}`, { group }))
  );
  const place = new Place(leastBusy<Item>(), items);
  assertEquals(place.turns(6, undefined), ["0a", "1a", "0b", "1b", "0a", "1a"]);
});

test("leastBusy() reads a candidate's load when it comes and goes (P4)", () => {
  const group = new Team();
  const [one, mate] = [new Item("one", { group }), new Item("mate", { group })];
  const other = new Item("other", { load: 1 });
  const place = new Place(leastBusy<Item>(), [one, other]);
  group.load = 2; // Nobody tells, but a member comes.
  place.add(mate);
  assertEquals(place.pick(undefined), other);
  group.load = 0; // A member goes.
  place.remove(mate);
  assertEquals(place.pick(undefined), one);
});

test("leastBusy() leaves alone what it was not told of, and what it was told twice", () => {
  const picker: Picker<Item, unknown> = startStrategy(leastBusy<Item>());
  assertEquals([picker.window, picker.pick([], undefined)], [0, undefined]);
  const item = new Item("a");
  picker.removed!(item);
  picker.changed!(item);
  assertEquals(picker.pick([item], undefined), undefined);
  picker.added!(item);
  picker.added!(item);
  assertEquals(picker.pick([], undefined), item);
  picker.removed!(item);
  assertEquals(picker.pick([], undefined), undefined);
});

test("leastBusy() reads what a candidate belongs to when it becomes available (P4)", () => {
  const [one, other] = [new Team(), new Team()];
  one.load = 5;
  const item = { group: one, load: 5 };
  const picker = startStrategy(leastBusy<{ group: Team; load: number }>());
  const [mate, rival] = [{ group: other, load: 1 }, { group: new Team(), load: 2 }];
  for (const candidate of [mate, rival, item]) picker.added!(candidate);
  item.group = other;
  item.load = 1;
  picker.added!(item); // It is here already, so this only says that its load has changed.
  mate.load = 7;
  picker.changed!(mate);
  assertEquals(picker.pick([], undefined), item); // Not yet of the same group.
  picker.removed!(item);
  item.load = 7;
  picker.added!(item);
  mate.load = item.load = 0;
  picker.changed!(mate);
  picker.removed!(mate);
  assertEquals(picker.pick([], undefined), item);
});

test("leastBusy() refuses a load that is no number of at least 0, and stays whole", () => {
  const [one, other] = [new Item("one"), new Item("other", { load: 1 })];
  const place = new Place(leastBusy<Item>(), [one, other]);
  for (const bad of [-1, NaN, undefined as unknown as number]) {
    const message = `Cannot use load "${bad}": expected a number of at least 0`;
    const stranger = Object.defineProperty(new Item("stranger"), "load", { value: bad });
    assertThrows(() => place.picker.added!(stranger), RangeError, message);
    assertThrows(() => place.change(one, { load: bad }), RangeError, message);
    assertEquals(place.pick(undefined), one);
  }
});

/** The same by looking at all of them. */
class Plain {
  #groups: { key: object; load: number; since: number; members: Item[] }[] = [];
  #now = 0;

  pick(): Item | undefined {
    const [best] = this.#groups.toSorted((a, b) => a.load - b.load || a.since - b.since);
    return best?.members[0];
  }

  added(item: Item): void {
    const group = this.#groupOf(item);
    if (group === undefined) {
      const key = item.group ?? item;
      this.#groups.push({ key, load: item.load, since: ++this.#now, members: [item] });
    } else {
      group.members.push(item);
      this.changed(item);
    }
  }

  removed(item: Item): void {
    const group = this.#groupOf(item)!;
    group.members = group.members.filter((member) => member !== item);
    if (group.members.length === 0) this.#groups = this.#groups.filter((one) => one !== group);
    group.load = item.load;
    group.since = ++this.#now;
  }

  changed(item: Item): void {
    const group = this.#groupOf(item)!;
    if (group.load === item.load) return;
    group.load = item.load;
    group.since = ++this.#now;
  }

  #groupOf(item: Item): { load: number; since: number; members: Item[] } | undefined {
    return this.#groups.find(({ key }) => key === (item.group ?? item));
  }
}

test("leastBusy() does what a look at all does, in 20,000 random steps (P4)", async () => {
  let compared = 0;
  const besideAll: StatefulStrategy<Item, undefined> = {
    name: "least busy beside a look at all",
    start() {
      const picker = startStrategy(leastBusy<Item>());
      const plain = new Plain();
      return {
        window: 0,
        pick() {
          const picked = picker.pick([], undefined);
          assertEquals(picked?.name, plain.pick()?.name, `choice ${compared++}`);
          return picked;
        },
        added(item) {
          picker.added!(item);
          plain.added(item);
        },
        removed(item) {
          picker.removed!(item);
          plain.removed(item);
        },
        changed(item) {
          picker.changed!(item);
          plain.changed(item);
        },
      };
    },
  };
  const options = { candidates: 30, steps: 5_000, ...itemMaker(() => undefined) };
  await property("leastBusy", strategyModel(() => besideAll, options), { runs: 4 });
  assert(compared > 4_000);
});
