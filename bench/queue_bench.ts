// What it costs to wait, with `deno bench bench/queue_bench.ts`: the fair queue against the plain
// one and a bare array, deadlines against the runtime's own timers. Every figure is for a hundred
// times, so that the bench's own clock does not count.
import { Deadline, Deadlines, FairQueue, Fifo } from "../src/queue/mod.ts";
import { systemClock } from "../src/transport/mod.ts";

const TIMES = 100;
const WAITING = 1000;
const DELAY_MS = 30_000;

class Nothing extends Deadline {
  expire(): void {}
}

const array: number[] = [];
const fifo = new Fifo<number>();
const fair = new FairQueue<number>();
const mixed = new FairQueue<number>();
const shared = new FairQueue<number>({ weightOf: (tenant) => Number(tenant) % 3 + 1 });
const tenants = Array.from({ length: 100 }, (_, i) => `${i}`);

for (let i = 0; i < WAITING; i++) {
  array.push(i);
  fifo.push(i);
  fair.push(i);
  mixed.push(i, { priority: i % 3, nowMs: i });
  shared.push(i, { tenant: tenants[i % 100]! });
}
for (const queue of [array, fifo, fair]) {
  // The same order, before any of them is timed.
  for (let i = 0; i < WAITING; i++) {
    queue.push(i);
    if (queue.shift() !== i) throw new Error("the queues give out different values");
  }
}

const queues = { group: `push + shift, ${WAITING} wait, ${TIMES} times` };
Deno.bench("array", queues, () => {
  for (let i = 0; i < TIMES; i++) {
    array.push(i);
    array.shift();
  }
});
Deno.bench("Fifo", { ...queues, baseline: true }, () => {
  for (let i = 0; i < TIMES; i++) {
    fifo.push(i);
    fifo.shift();
  }
});
Deno.bench("FairQueue, 1 tenant", queues, () => {
  for (let i = 0; i < TIMES; i++) {
    fair.push(i);
    fair.shift();
  }
});
Deno.bench("FairQueue, 1 tenant, 3 priorities", queues, () => {
  for (let i = 0; i < TIMES; i++) {
    mixed.push(i, { priority: i % 3, nowMs: WAITING + i });
    mixed.shift();
  }
});
Deno.bench("FairQueue, 100 tenants", queues, () => {
  for (let i = 0; i < TIMES; i++) {
    shared.push(i, { tenant: tenants[i]! });
    shared.shift();
  }
});

const gone = { group: `push + remove, ${WAITING} wait, ${TIMES} times` };
Deno.bench("Fifo", { ...gone, baseline: true }, () => {
  for (let i = 0; i < TIMES; i++) fifo.remove(fifo.push(i));
});
Deno.bench("FairQueue, 1 tenant", gone, () => {
  for (let i = 0; i < TIMES; i++) fair.remove(fair.push(i));
});

const deadlines = new Deadlines(systemClock);
const many = Array.from({ length: TIMES }, () => new Nothing());
const nothing = (): void => {};

const waits = { group: `begin to wait, and end it, ${TIMES} times` };
Deno.bench("setTimeout + clearTimeout", { ...waits, baseline: true }, () => {
  for (let i = 0; i < TIMES; i++) clearTimeout(setTimeout(nothing, DELAY_MS));
});
Deno.bench("systemClock.now", waits, () => {
  for (let i = 0; i < TIMES; i++) systemClock.now();
});
Deno.bench("Deadlines, in one turn", waits, () => {
  for (let i = 0; i < TIMES; i++) {
    const one = new Nothing();
    deadlines.add(one, DELAY_MS);
    deadlines.remove(one);
  }
});
Deno.bench("Deadlines, all begin before any ends", waits, async () => {
  for (const one of many) deadlines.add(one, DELAY_MS);
  await Promise.resolve();
  for (const one of many) deadlines.remove(one);
});
Deno.bench("Deadlines, a turn for each", waits, async () => {
  for (const one of many) {
    deadlines.add(one, DELAY_MS);
    await Promise.resolve();
    deadlines.remove(one);
  }
});
