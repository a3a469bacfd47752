import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  leastBusy,
  random,
  startStrategy,
  type StatefulStrategy,
  sticky,
  type StickyOptions,
} from "../../src/strategy/mod.ts";
import { test } from "../harness.ts";
import { type Dice, property, strategyModel } from "../../src/testing/mod.ts";
import { Item, itemMaker, Place } from "./tools.ts";

interface Request {
  readonly key?: unknown;
}

const byKey = (options?: StickyOptions<Item, Request>) =>
  sticky<Item, Request>(({ key }) => key, options);

const itemsOf = (names: string): Item[] => [...names].map((name) => new Item(name));

test("sticky() gives the same candidate to the same key (P4)", () => {
  const place = new Place(byKey(), itemsOf("abc"));
  const names = ["x", "y", "x", "y", "z", "x"].map((key) => place.turns(1, { key })[0]);
  assertEquals(names.join(""), "ababca");
});

test("sticky() moves the key when its candidate is not available (P4)", () => {
  const items = itemsOf("abc");
  const place = new Place(byKey(), items);
  const a = place.take({ key: "x" })!;
  assertEquals(a.name, "a");
  assertEquals(place.turns(2, { key: "x" }), ["b", "b"]);
  place.add(a);
  assertEquals(place.turns(2, { key: "x" }), ["b", "b"]); // The key has moved for good.
});

test("sticky() finds a candidate again that was away (P4)", () => {
  const items = itemsOf("abc");
  const place = new Place(byKey(), items);
  const a = place.take({ key: "x" })!;
  assertEquals(place.turns(1, { key: "y" }), ["b"]);
  place.add(a);
  assertEquals(place.turns(3, { key: "x" }), ["a", "a", "a"]);
});

test("sticky() leaves requests without a key to the other strategy (P4)", () => {
  const place = new Place(byKey(), itemsOf("abc"));
  assertEquals(place.turns(1, { key: "x" }), ["a"]);
  assertEquals(place.turns(4, {}), ["b", "c", "a", "b"]);
  assertEquals(place.turns(1, { key: "x" }), ["a"]);
  for (const key of [null, 0, "", NaN]) { // Each of these is a key.
    const [name] = place.turns(1, { key });
    assertEquals(place.turns(2, { key }), [name, name], String(key));
  }
});

test("sticky() takes the strategy in `otherwise`, tells it all, and shows its window (P4)", () => {
  assertEquals(startStrategy(byKey()).window, 1);
  assertEquals(startStrategy(byKey({ otherwise: random() })).window, 0);
  const plain = startStrategy(byKey({ otherwise: (candidates) => candidates.at(-1) }));
  assertEquals(["window" in plain && plain.window, plain.pick(itemsOf("ab"), {})?.name], [
    undefined,
    "b",
  ]);
  const items = itemsOf("abc");
  const place = new Place(byKey({ otherwise: leastBusy<Item>() }), items);
  place.change(items[0]!, { load: 2 });
  place.change(items[1]!, { load: 1 });
  assertEquals(place.turns(2, { key: "x" }), ["c", "c"]);
  place.change(items[2]!, { load: 3 });
  assertEquals([...place.turns(1, { key: "x" }), ...place.turns(1, { key: "y" })], ["c", "b"]);
  place.remove(items[1]!);
  assertEquals(place.turns(1, { key: "y" }), ["a"]);
});

test("sticky() chooses nothing when the other strategy does not, and notes nothing then", () => {
  let wants = false;
  const otherwise = (candidates: readonly Item[]) => wants ? candidates[0] : undefined;
  const place = new Place(byKey({ otherwise }), itemsOf("ab"));
  assertEquals(place.pick({ key: "x" }), undefined);
  wants = true;
  assertEquals(place.turns(2, { key: "x" }), ["a", "a"]);
  wants = false;
  assertEquals(place.turns(1, { key: "x" }), ["a"]); // It is known, so nobody else is asked.
});

test("sticky() passes on what the other strategy chooses, even what is no candidate", () => {
  for (const bad of [null, 0, "socket", {}]) {
    const picker = startStrategy(byKey({ otherwise: () => bad as never }));
    assertEquals(picker.pick([], { key: "x" }), bad as never);
  }
});

test("sticky() forgets the key that was not asked for for the longest time", () => {
  const place = new Place(byKey({ maxKeys: 2 }), itemsOf("abcd"));
  const ask = (keys: string) => [...keys].map((key) => place.turns(1, { key })[0]).join("");
  assertEquals(ask("xy"), "ab");
  assertEquals(ask("x"), "a"); // Now `y` is the one not asked for.
  assertEquals(ask("z"), "c");
  assertEquals(ask("x"), "a");
  assertEquals(ask("y"), "d"); // `y` was forgotten, and `z` is now.
  assertEquals(ask("xy"), "ad");
  assertEquals(ask("z"), "b");
});

test("sticky() gives each place notes of its own", () => {
  const strategy = byKey();
  const [one, other] = [
    new Place(strategy, itemsOf("ab")),
    new Place(strategy, itemsOf("ab").reverse()),
  ];
  assertEquals([one.turns(1, { key: "x" }), other.turns(1, { key: "x" })], [["a"], ["b"]]);
});

test("sticky() refuses maxKeys that is no integer of at least 1, and a key that is no function", () => {
  for (const maxKeys of [0, -1, 1.5, NaN, "9" as never]) {
    const message = `Cannot use maxKeys "${maxKeys}": expected an integer of at least 1`;
    assertThrows(() => byKey({ maxKeys }), RangeError, message);
  }
  assertEquals(byKey({ maxKeys: Infinity }).name, "sticky");
  assertThrows(() => sticky("user" as never), TypeError, 'Cannot use key "user"');
  assertThrows(() => startStrategy(byKey({ otherwise: 7 as never })), TypeError, '"7"');
});

test("sticky() does what a plain list of keys does, in 20,000 random steps (P4)", async () => {
  const maxKeys = 12;
  let known = 0;
  const besideList: StatefulStrategy<Item, Request> = {
    name: "sticky beside a list",
    start() {
      const picker = startStrategy(byKey({ maxKeys }));
      const keys: { key: number; item: Item }[] = []; // The one asked for last stands at the end.
      const here = new Set<Item>();
      return {
        window: picker.window!,
        pick(candidates, request) {
          const at = keys.findIndex(({ key }) => key === request.key);
          const [entry] = at === -1 ? [] : keys.splice(at, 1);
          const stays = entry !== undefined && here.has(entry.item);
          if (stays) known++;
          const expected = stays ? entry.item : candidates[0];
          if (request.key !== undefined && expected !== undefined) {
            keys.push({ key: request.key as number, item: expected });
            if (keys.length > maxKeys) keys.shift();
          } else if (entry !== undefined) {
            keys.splice(at, 0, entry);
          }
          const picked = picker.pick(candidates, request);
          assertEquals(picked?.name, expected?.name);
          return picked;
        },
        added(item) {
          picker.added!(item);
          here.add(item);
        },
        removed(item) {
          picker.removed!(item);
          here.delete(item);
        },
      };
    },
  };
  const requestOf = (dice: Dice) => dice.below(10) === 0 ? {} : { key: dice.below(20) };
  const options = { candidates: 20, steps: 5_000, ...itemMaker<Request>(requestOf) };
  await property("sticky beside a list", strategyModel(() => besideList, options), { runs: 4 });
  assert(known > 100);
});
