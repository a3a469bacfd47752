import { assertEquals } from "@std/assert";
import {
  Lease,
  type LeaseEnd,
  type LeaseEvent,
  type LeaseState,
  moveLease,
} from "../../src/core.ts";
import { seededRandom } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";

const STATES: readonly LeaseState[] = ["leased", "lent", "handed", "released", "discarded"];
const EVENTS: readonly LeaseEvent[] = ["lend", "return", "hand", "release", "discard"];
const OVER: readonly LeaseState[] = ["handed", "released", "discarded"];

test("moveLease() allows these moves and no others", () => {
  const moves: Record<string, LeaseState> = {
    "leased lend": "lent",
    "leased hand": "handed",
    "leased release": "released",
    "leased discard": "discarded",
    "lent return": "leased",
    "lent discard": "discarded",
  };
  for (const state of STATES) {
    for (const event of EVENTS) {
      assertEquals(moveLease(state, event), moves[`${state} ${event}`], `${state} ${event}`);
    }
  }
});

test("moveLease() leads nowhere from a state that is over, whatever comes", () => {
  const random = seededRandom(1);
  for (let run = 0; run < 1000; run++) {
    let state: LeaseState = "leased";
    let ends = 0;
    for (let step = 0; step < 20; step++) {
      const next = moveLease(state, EVENTS[Math.floor(random() * EVENTS.length)]!);
      if (next === undefined) continue;
      assertEquals(OVER.includes(state), false, `left ${state}`);
      if (OVER.includes(next)) ends++;
      state = next;
    }
    assertEquals(ends, OVER.includes(state) ? 1 : 0);
  }
});

test("Lease tells its owner exactly one end, whatever is called in whatever order", async () => {
  const random = seededRandom(2);
  const acts: readonly [(lease: Lease<string>) => unknown, LeaseEnd][] = [
    [(lease) => lease.release(), "released"],
    [(lease) => lease.discard(), "discarded"],
    [(lease) => lease[Symbol.dispose](), "released"],
    [(lease) => lease[Symbol.asyncDispose](), "released"],
  ];
  for (let run = 0; run < 500; run++) {
    const ends: LeaseEnd[] = [];
    const lease: Lease<string> = new Lease("a socket", (end) => {
      ends.push(end);
      assertEquals(lease.state, end); // The state is there before the owner is told.
    });
    let first: LeaseEnd | undefined;
    for (let step = 0; step < 1 + random() * 5; step++) {
      const [act, end] = acts[Math.floor(random() * acts.length)]!;
      first ??= end;
      await act(lease);
    }
    assertEquals(ends, [first!]);
    assertEquals([lease.state, lease.value], [first!, "a socket"]);
  }
});

test("Lease may be given back from within the call that tells its end", () => {
  const ends: LeaseEnd[] = [];
  const lease: Lease<number> = new Lease(1, (end) => {
    ends.push(end);
    lease.release();
    lease.discard();
  });
  assertEquals(lease.state, "leased");
  lease.discard();
  assertEquals([ends, lease.state], [["discarded"], "discarded"]);
});
