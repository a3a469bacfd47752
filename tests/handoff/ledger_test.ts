import { assertEquals, assertThrows } from "@std/assert";
import { Ledger } from "../../src/handoff/ledger.ts";
import { test } from "../harness.ts";

test("Ledger gives a token to the one who changes its entry first", () => {
  const ledger = new Ledger(2);
  const view = new Ledger(ledger.shared);
  const first = ledger.offer(11);
  assertEquals([view.take(first), ledger.withdraw(first), view.take(first)], [true, false, false]);
  const second = ledger.offer(12);
  assertEquals([ledger.withdraw(second), view.take(second)], [true, false]);
});

test("Ledger tells an entry from the one that had its place before", () => {
  const ledger = new Ledger(1);
  const view = new Ledger(ledger.shared);
  const old = ledger.offer(11);
  assertEquals(ledger.withdraw(old), true);
  const current = ledger.offer(12);
  assertEquals([current.place, view.take(old), view.take(current)], [old.place, false, true]);
});

test("Ledger.sweep() withdraws what nobody has taken, once", () => {
  const ledger = new Ledger(4);
  const view = new Ledger(ledger.shared);
  const entries = [11, 12, 13].map((token) => ledger.offer(token));
  view.take(entries[1]!);
  const swept: number[] = [];
  view.sweep((token) => swept.push(token));
  view.sweep((token) => swept.push(token));
  assertEquals(swept, [11, 13]);
  assertEquals(ledger.withdraw(entries[0]!), false);
});

test("Ledger refuses more tokens than it has places, and forgets none", () => {
  const ledger = new Ledger(2);
  ledger.offer(11);
  const second = ledger.offer(12);
  assertThrows(() => ledger.offer(13), Error, "more tokens");
  ledger.withdraw(second);
  for (let round = 0; round < 1000; round++) ledger.withdraw(ledger.offer(14));
  const swept: number[] = [];
  ledger.sweep((token) => swept.push(token));
  assertEquals(swept, [11]);
});
