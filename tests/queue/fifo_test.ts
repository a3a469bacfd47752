import { assert, assertEquals, assertFalse } from "@std/assert";
import { Fifo, type Place } from "../../src/core.ts";
import { test } from "../harness.ts";
import { withSeeds } from "../support/seeds.ts";

test("Fifo.shift() gives out in the order of arrival, then undefined", () => {
  const queue = new Fifo<string>();
  assertEquals(queue.shift(), undefined);
  for (const value of ["a", "b", "c"]) assertEquals(queue.push(value).value, value);
  assertEquals(queue.length, 3);
  assertEquals([queue.shift(), queue.shift(), queue.shift(), queue.shift()], [
    "a",
    "b",
    "c",
    undefined,
  ]);
  assertEquals(queue.length, 0);
});

test("Fifo.remove() gives a place up once, wherever it is", () => {
  for (const index of [0, 1, 2]) {
    const queue = new Fifo<number>();
    const places = [0, 1, 2].map((value) => queue.push(value));
    assert(queue.remove(places[index]!));
    assertFalse(queue.remove(places[index]!));
    assertEquals(queue.length, 2);
    const rest = [0, 1, 2].filter((value) => value !== index);
    assertEquals([queue.shift(), queue.shift(), queue.shift()], [...rest, undefined]);
  }
});

test("Fifo.remove() is false for a place that was taken", () => {
  const queue = new Fifo<string>();
  const place = queue.push("a");
  queue.push("b");
  assertEquals(queue.shift(), "a");
  assertFalse(queue.remove(place));
  assertEquals(queue.length, 1);
  assertEquals(queue.shift(), "b");
});

test("Fifo holds undefined like any other value", () => {
  const queue = new Fifo<undefined>();
  queue.push(undefined);
  assertEquals(queue.length, 1);
  queue.shift();
  assertEquals(queue.length, 0);
});

test("Fifo does what an array does, in 40,000 random steps", () =>
  withSeeds([1, 2, 3, 4], (dice) => {
    const queue = new Fifo<number>();
    const model: number[] = [];
    const places: Place<number>[] = [];
    for (let step = 0; step < 10_000; step++) {
      const what = dice.random();
      // Longer and shorter in turns, so that it is often empty too.
      if (what < (step % 200 < 100 ? 0.5 : 0.2)) {
        places.push(queue.push(step));
        model.push(step);
      } else if (what < 0.7) {
        assertEquals(queue.shift(), model.shift(), `shift in step ${step}`);
      } else if (places.length > 0) {
        const place = dice.oneOf(places);
        const at = model.indexOf(place.value);
        assertEquals(queue.remove(place), at !== -1, `remove in step ${step}`);
        if (at !== -1) model.splice(at, 1);
      }
      assertEquals(queue.length, model.length, `length in step ${step}`);
    }
    while (model.length > 0) assertEquals(queue.shift(), model.shift());
    assertEquals(queue.shift(), undefined);
  }));
