// Who accepts, with processes that are none: each says what it is told to say.
import { assertEquals } from "@std/assert";
import {
  createListener,
  type Host,
  type LinkReceiver,
  type Listener,
  type OwnerEnd,
  type StartedSuccessor,
} from "../../src/transport/mod.ts";
import { Generations } from "../../src/download/generations.ts";
import type { NewWord, OldWord } from "../../src/download/handover/words.ts";
import { PROTOCOL_VERSION } from "../../src/download/handover/words.ts";
import { VirtualClock } from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { FakeListenerDriver } from "../transport/fakes.ts";

/** A process that is started as a generation. */
class FakeProcess implements StartedSuccessor {
  readonly kind = "process";
  readonly pid: number;
  readonly told: OldWord["kind"][] = [];
  readonly ended: Promise<OwnerEnd>;
  #receiver: LinkReceiver | undefined;
  #end!: (end: OwnerEnd) => void;

  constructor(pid: number) {
    this.pid = pid;
    this.ended = new Promise((resolve) => this.#end = resolve);
  }

  say(word: NewWord): void {
    this.#receiver!.message(word);
  }

  exit(reason: OwnerEnd["reason"] = "exited"): void {
    this.#end({ reason });
  }

  receive(receiver: LinkReceiver): void {
    this.#receiver = receiver;
    queueMicrotask(() => this.say({ kind: "ready", version: PROTOCOL_VERSION }));
  }

  post(word: unknown): void {
    this.told.push((word as OldWord).kind);
  }

  sendListener(_listener: Listener, word: unknown): Promise<void> {
    this.post(word);
    queueMicrotask(() => this.say({ kind: "listening" }));
    return Promise.resolve();
  }

  leave(): void {}

  terminate(): Promise<OwnerEnd> {
    this.exit("terminated");
    return this.ended;
  }
}

/** A listener whose driver can stop, or not. */
function fakeListener(canPause: boolean): Listener {
  const driver = new FakeListenerDriver(80, "127.0.0.1");
  return createListener([Object.assign(driver, { canPause })]);
}

function leading(max: number, canStop = true) {
  const clock = new VirtualClock();
  const started: FakeProcess[] = [];
  const did: string[] = [];
  const errors: string[] = [];
  const state = { hasRoom: false, failure: undefined as Error | undefined };
  const host: Host = {
    successors: {
      check: () => undefined,
      start() {
        if (state.failure !== undefined) throw state.failure;
        const fake = new FakeProcess(100 + started.length);
        started.push(fake);
        return fake;
      },
    },
  };
  const generations = new Generations({
    host,
    clock,
    listener: fakeListener(canStop),
    max,
    first: {
      hasRoom: () => state.hasRoom,
      goAway: () => Promise.resolve(void did.push("away")),
      comeBack: () => void did.push("back"),
    },
    report: (error) => errors.push((error as { code?: string }).code ?? String(error)),
  });
  const full = async (from?: FakeProcess) => {
    if (from === undefined) generations.full();
    else from.say({ kind: "full" });
    await clock.settle();
  };
  return { clock, started, did, errors, state, generations, full };
}

test("Generations starts one process at a time, and tells who is full to leave", async () => {
  const { clock, started, did, generations, full } = leading(3);
  generations.full();
  generations.full();
  await full();
  assertEquals([started.length, did, generations.count], [1, ["away"], 1]);
  await full(started[0]);
  assertEquals([started.length, started[0]!.told], [2, ["listener", "leave"]]);
  assertEquals(generations.count, 2);
  await full(started[1]); // Three serve: it has to wait.
  assertEquals([started.length, started[1]!.told], [2, ["listener"]]);
  started[0]!.exit();
  await clock.settle();
  await full(started[1]);
  assertEquals([started.length, started[1]!.told], [3, ["listener", "leave"]]);
});

test("Generations lets the first process accept again when that has room", async () => {
  const { started, did, state, full } = leading(2);
  await full();
  await full(started[0]);
  assertEquals([did, started[0]!.told], [["away"], ["listener"]]);
  state.hasRoom = true;
  await full(started[0]);
  assertEquals([did, started[0]!.told], [["away", "back"], ["listener", "leave"]]);
  await full(started[0]); // It says so once more before it has heard that.
  assertEquals(started[0]!.told, ["listener", "leave"]);
});

test("Generations lets the first process accept again when the one that does dies", async () => {
  const { clock, started, did, errors, generations, full } = leading(2);
  await full();
  started[0]!.exit("failed");
  await clock.settle();
  assertEquals([did, errors, generations.count], [["away", "back"], ["DOWNLOAD_LOST"], 0]);
});

test("Generations tries again ten seconds after a start that failed", async () => {
  const { clock, started, did, errors, state, full } = leading(2);
  state.failure = new Error("no");
  await full();
  await full();
  assertEquals([errors, did], [["Error: no"], []]);
  state.failure = undefined;
  await clock.advance(9999);
  await full();
  assertEquals(started.length, 0);
  await clock.advance(1);
  await full();
  assertEquals([started.length, did], [1, ["away"]]);
});

test("Generations starts nothing where the first process cannot stop accepting", async () => {
  const { clock, started, did, errors, full } = leading(2, false);
  await full();
  await clock.advance(60_000);
  await full();
  assertEquals([started.length, did, errors], [0, [], ["UNSUPPORTED"]]);
});

test("Generations ends a process that has nothing to do, and does not end by itself", async () => {
  const { clock, started, generations, full } = leading(2);
  await full();
  started[0]!.say({ kind: "drained" });
  await clock.advance(4999);
  assertEquals(generations.count, 1);
  await clock.advance(1);
  assertEquals(generations.count, 0);
});

test("Generations.close() waits for all processes, and ends those that are late", async () => {
  const { clock, started, did, generations, full } = leading(3);
  await full();
  await full(started[0]);
  let closed = false;
  void generations.close(1000).then(() => closed = true);
  await clock.settle();
  assertEquals(started.map(({ told }) => told.at(-1)), ["close", "close"]);
  started[0]!.exit();
  await clock.advance(5999);
  assertEquals(closed, false);
  await clock.advance(1);
  assertEquals([closed, did], [true, ["away", "away"]]); // It had to accept to be copied.
});
