import { assertEquals } from "@std/assert";
import { Turns } from "../../src/transport/turns.ts";
import { test } from "../harness.ts";

/** Let everything run that waits for promises only. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await undefined;
}

test("Turns gives the first turn at once and the others in the order of asking", async () => {
  const turns = new Turns();
  assertEquals(turns.taken, false);
  assertEquals(turns.take(), undefined);
  const order: number[] = [];
  for (let who = 1; who <= 5; who++) void turns.take()!.then(() => order.push(who));
  await settle();
  assertEquals(order, []);
  for (let passed = 1; passed <= 5; passed++) {
    turns.pass();
    await settle();
    assertEquals(order, [1, 2, 3, 4, 5].slice(0, passed));
    assertEquals(turns.taken, true);
  }
  turns.pass();
  assertEquals(turns.taken, false);
  assertEquals(turns.take(), undefined);
});

test("Turns lets nobody in between passing on and waking up", async () => {
  const turns = new Turns();
  void turns.take();
  const order: string[] = [];
  void turns.take()!.then(() => order.push("asked first"));
  turns.pass();
  const late = turns.take(); // before the other one has woken up
  assertEquals(late instanceof Promise, true);
  void late!.then(() => order.push("asked later"));
  await settle();
  assertEquals(order, ["asked first"]);
  turns.pass();
  await settle();
  assertEquals(order, ["asked first", "asked later"]);
});

test("Turns has one holder at a time, whoever comes and goes", async () => {
  const turns = new Turns();
  let inside = 0;
  const done: number[] = [];
  await Promise.all(
    Array.from({ length: 100 }, async (_, who) => {
      for (let pause = 0; pause < who % 7; pause++) await undefined;
      const turn = turns.take();
      if (turn !== undefined) await turn;
      assertEquals(++inside, 1);
      for (let pause = 0; pause < who % 3; pause++) await undefined;
      inside--;
      done.push(who);
      turns.pass();
    }),
  );
  assertEquals([done.length, turns.taken], [100, false]);
});
