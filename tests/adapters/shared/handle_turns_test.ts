import { assert, assertEquals } from "@std/assert";
import { HandleTurns } from "../../../src/adapters/shared/handle_turns.ts";
import type { Wire } from "../../../src/adapters/shared/wire.ts";
import { test } from "../../harness.ts";
import { withSeeds } from "../../support/seeds.ts";

interface Packet {
  readonly frame: unknown;
  readonly handle: number | undefined;
}

/** One end of a channel as the kernel and Deno make it. */
class KernelEnd implements Wire<number> {
  other!: KernelEnd;
  /** What the other end has sent and this one has not read. */
  unread: Packet[] = [];
  #receive: ((frame: unknown, handle: number | undefined) => void) | undefined;

  write(frame: unknown, handle?: number, told?: (arrives: boolean) => void): void {
    this.other.unread.push({ frame, handle });
    told?.(true);
  }

  listen(receive: (frame: unknown, handle: number | undefined) => void): void {
    this.#receive = receive;
  }

  /** One recvmsg(2): everything up to and with the first handle. Whether there was anything. */
  read(): boolean {
    const at = this.unread.findIndex(({ handle }) => handle !== undefined);
    if (at > 0) throw new Error("a handle came behind a frame without one: both are lost");
    const packets = this.unread.splice(0, at === 0 ? 1 : this.unread.length);
    for (const { frame, handle } of packets) {
      if (handle !== undefined) this.other.unread.push({ frame: "ack", handle: undefined });
      if (frame !== "ack") this.#receive!(frame, handle);
    }
    return packets.length > 0;
  }
}

test("HandleTurns keeps handles from being read behind other frames, and the order of all", async () => {
  await withSeeds(Array.from({ length: 200 }, (_, index) => index + 1), (dice) => {
    const ends = [new KernelEnd(), new KernelEnd()] as const;
    ends[0].other = ends[1];
    ends[1].other = ends[0];
    const turns = ends.map((end, index) => new HandleTurns<number>(end, index === 0));
    const sent: string[][] = [[], []];
    const got: string[][] = [[], []];
    turns.forEach((side, index) =>
      side.listen((frame, handle) => void got[1 - index]!.push(`${frame} ${handle}`))
    );
    let next = 0;
    for (let step = 0; step < 300; step++) {
      const index = dice.below(2);
      if (dice.random() < 0.5) {
        ends[index]!.read();
      } else {
        const handle = dice.random() < 0.5 ? next : undefined;
        const frame = `f${next++}`;
        sent[index]!.push(`${frame} ${handle}`);
        turns[index]!.write(frame, handle);
      }
    }
    for (let round = 0; round < 2000; round++) {
      if (ends.every((end) => end.unread.length === 0)) break;
      ends[dice.below(2)]!.read();
    }
    assertEquals(got, sent);
  });
});

test("HandleTurns asks nothing while one end sends handles only", () => {
  const ends = [new KernelEnd(), new KernelEnd()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  const [near, far] = [new HandleTurns<number>(ends[0], true), new HandleTurns(ends[1], false)];
  const got: unknown[] = [];
  near.listen((frame) => void got.push(frame));
  far.listen((frame) => {
    got.push(frame);
    far.write(`answer to ${frame}`);
  });
  for (let handle = 0; handle < 3; handle++) {
    near.write(`h${handle}`, handle);
    assert(ends[1].unread.length === 1); // Nothing but the handle.
    while (ends[1].read() || ends[0].read());
  }
  assertEquals(got.length, 6);
});

test("HandleTurns lets an end have its turn while the other one sends without end", () => {
  const ends = [new KernelEnd(), new KernelEnd()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  for (const asks of [0, 1] as const) {
    const turns = [
      new HandleTurns<number>(ends[0], true),
      new HandleTurns(ends[1], false),
    ] as const;
    const got: unknown[][] = [[], []];
    turns[0].listen((frame) => void got[1]!.push(frame));
    turns[1].listen((frame) => void got[0]!.push(frame));
    const streams = asks === 0 ? 1 : 0;
    turns[asks].write("plain");
    turns[asks].write("handle", 1);
    for (let step = 0; step < 200; step++) {
      // There is always more on its way than has been read.
      turns[streams].write(`h${step}`, step);
      turns[streams].write(`h${step} again`, step);
      ends[asks].read();
      ends[streams].read();
    }
    assertEquals(got[asks], ["plain", "handle"], `end ${asks} never had its turn`);
    while (ends[0].read() || ends[1].read());
    assertEquals(got[streams]!.length, 400);
  }
});
