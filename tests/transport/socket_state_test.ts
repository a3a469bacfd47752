import { assertEquals, assertThrows } from "@std/assert";
import { moveSocket, type SocketEvent, type SocketState } from "../../src/core.ts";
import { test } from "../harness.ts";

const STATES: readonly SocketState[] = [
  "connecting",
  "open",
  "half-closed",
  "closing",
  "closed",
  "gone",
];
const EVENTS: readonly SocketEvent[] = ["opened", "halved", "closing", "closed", "handed"];

const MOVES: Readonly<Record<string, SocketState>> = {
  "connecting opened": "open",
  "connecting closing": "closing",
  "connecting closed": "closed",
  "open halved": "half-closed",
  "open closing": "closing",
  "open closed": "closed",
  "open handed": "gone",
  "half-closed closing": "closing",
  "half-closed closed": "closed",
  "half-closed handed": "gone",
  "closing closed": "closed",
};

test("moveSocket() knows what follows for every state and event", () => {
  let moves = 0;
  for (const state of STATES) {
    for (const event of EVENTS) {
      const expected = MOVES[`${state} ${event}`];
      if (expected === undefined) {
        const message = `Cannot move socket: "${event}" in state "${state}"`;
        assertThrows(() => moveSocket(state, event), Error, message);
      } else {
        assertEquals(moveSocket(state, event), expected, `${state} ${event}`);
        moves++;
      }
    }
  }
  assertEquals(moves, Object.keys(MOVES).length);
});

test("moveSocket() leads out of every living state to closed, and never back", () => {
  const order = STATES.indexOf.bind(STATES);
  for (const [move, next] of Object.entries(MOVES)) {
    const state = move.split(" ")[0] as SocketState;
    assertEquals(order(next) > order(state), true, move);
  }
  for (const state of STATES) {
    const over = state === "closed" || state === "gone";
    assertEquals(`${state} closed` in MOVES, !over, state);
  }
});
