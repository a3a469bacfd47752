import { assertEquals } from "@std/assert";
import { type Abortable, Aborts } from "../../src/queue/mod.ts";
import { test } from "../harness.ts";
import { watchedSignal } from "../pool/tools.ts";

/** Notes what it is told. */
class Member implements Abortable {
  readonly reasons: unknown[] = [];

  aborted(reason: unknown): void {
    this.reasons.push(reason);
  }
}

test("Aborts tells every member of a signal once, through one listener", () => {
  const aborts = new Aborts();
  const { controller, listeners } = watchedSignal();
  const members = Array.from({ length: 1000 }, () => new Member());
  for (const member of members) aborts.add(controller.signal, member);
  assertEquals([listeners(), aborts.size], [1, 1]);
  controller.abort("enough");
  assertEquals(members.map(({ reasons }) => reasons), members.map(() => ["enough"]));
  assertEquals([listeners(), aborts.size], [0, 0]);
});

test("Aborts.remove() leaves nothing at a signal with which nobody waits", () => {
  const aborts = new Aborts();
  const { controller, listeners } = watchedSignal();
  const [one, other, stranger] = [new Member(), new Member(), new Member()];
  aborts.add(controller.signal, one);
  aborts.add(controller.signal, other);
  aborts.remove(controller.signal, stranger);
  aborts.remove(controller.signal, one);
  aborts.remove(controller.signal, one);
  assertEquals(listeners(), 1);
  aborts.remove(controller.signal, other);
  assertEquals([listeners(), aborts.size], [0, 0]);
  aborts.remove(controller.signal, other);
  aborts.add(controller.signal, other); // Again, as if for the first time.
  controller.abort("now");
  assertEquals([one.reasons, other.reasons, stranger.reasons], [[], ["now"], []]);
});

test("Aborts keeps signals apart, and a member may leave while others are told", () => {
  const aborts = new Aborts();
  const [first, second] = [new AbortController(), new AbortController()];
  const [late, elsewhere] = [new Member(), new Member()];
  const leaving: Abortable = { aborted: () => aborts.remove(first.signal, late) };
  aborts.add(first.signal, leaving);
  aborts.add(first.signal, late);
  aborts.add(second.signal, elsewhere);
  first.abort("first");
  assertEquals([elsewhere.reasons, aborts.size], [[], 1]);
  second.abort("second");
  assertEquals([elsewhere.reasons, aborts.size], [["second"], 0]);
});

test("Aborts.add() from within an abort waits for nothing: the signal is aborted for good", () => {
  const aborts = new Aborts();
  const { controller, listeners } = watchedSignal();
  const late = new Member();
  aborts.add(controller.signal, { aborted: () => aborts.add(controller.signal, late) });
  controller.abort("gone");
  assertEquals(late.reasons, []);
  aborts.remove(controller.signal, late);
  assertEquals([listeners(), aborts.size], [0, 0]);
});
