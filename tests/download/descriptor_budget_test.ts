import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { systemTransport } from "../../mod.ts";
import { DescriptorBudget } from "../../src/download/descriptor_budget.ts";
import { runtime, test } from "../harness.ts";

const limits = fc.integer({ min: 64, max: 2_000_000 });
const anyBudget = fc.record({
  limit: limits,
  open: fc.integer({ min: 3, max: 60 }),
  maxConnections: fc.integer({ min: 1, max: 100_000 }),
  each: fc.constantFrom(1 as const, 2 as const),
}).map(({ limit, open, maxConnections, each }) => ({
  budget: new DescriptorBudget({
    host: { descriptorUse: () => ({ limit, open }) },
    maxConnections,
    each,
  }),
  maxConnections,
  open,
  each,
}));

test("DescriptorBudget never gives away more than there is, whoever takes his whole share", () => {
  fc.assert(fc.property(anyBudget, ({ budget, maxConnections, open, each }) => {
    const { limit, maxFiles, maxPending } = budget;
    assert(budget.maxConnections >= 1 && budget.maxConnections <= maxConnections);
    const all = open + each * budget.maxConnections + maxPending + 2 * maxFiles;
    // Somebody has to be served, however few there are.
    if (budget.maxConnections > 1) assert(all + 16 <= limit, `${all} of ${limit}`);
  }));
});

test("DescriptorBudget is full from its high-water mark on, until it is down to its low one", () => {
  const steps = fc.array(fc.boolean(), { maxLength: 400 });
  fc.assert(fc.property(anyBudget, steps, ({ budget }, comes) => {
    const { maxConnections, roomBelow } = budget;
    assert(roomBelow < maxConnections && roomBelow >= 0);
    let [count, isFull] = [0, false];
    for (const add of comes) {
      if (add) {
        budget.add();
        count++;
        isFull ||= count >= maxConnections;
      } else if (count > 0) {
        count--;
        const hadNoRoom = isFull;
        if (count <= roomBelow) isFull = false;
        assertEquals(budget.remove(), hadNoRoom && !isFull);
      }
      assertEquals([budget.connections, budget.isFull], [count, isFull]);
    }
  }));
});

test("DescriptorBudget takes 1024 for the limit where it may not be read, and none without a kernel", () => {
  const common = { maxConnections: 1_000_000, each: 1 } as const;
  const unread = new DescriptorBudget({ ...common, host: { descriptorUse: () => undefined } });
  assertEquals([unread.limit, unread.used(0)], [1024, 48]);
  assert(unread.maxConnections > 500 && unread.maxConnections < 1024);
  const inMemory = new DescriptorBudget({ ...common, host: {} });
  assertEquals([inMemory.limit, inMemory.maxConnections], [Infinity, 1_000_000]);
  const given = new DescriptorBudget({ ...common, host: {}, limit: 128 });
  given.add();
  assertEquals([given.limit, given.used(2)], [128, 3]);
});

test("Host.descriptorUse says what Linux allows, and what is open", {
  skip: !systemTransport().host.descriptorUse?.() && `not readable in this ${runtime}`,
}, async () => {
  const { host } = systemTransport();
  const before = host.descriptorUse!()!;
  assert(before.limit > before.open && before.open >= 3);
  const listener = await systemTransport().listen();
  assert(host.descriptorUse!()!.open > before.open);
  await listener.close();
});

test("DescriptorBudget counts what has come along from another process once", () => {
  let open = 20;
  const host = { descriptorUse: () => ({ limit: 1024, open }) };
  const budget = new DescriptorBudget({ host, maxConnections: 10_000, each: 1 });
  const { maxConnections } = budget;
  open += 400;
  budget.measure(400);
  assertEquals([budget.maxConnections, budget.used(0)], [maxConnections, 20]);
  for (let count = 0; count < 400; count++) budget.add();
  assertEquals([budget.used(0), budget.isFull], [420, false]);
});
