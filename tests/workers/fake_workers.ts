// Threads that are none: each is a member of the group in this very program, at the other end of a
// link whose messages arrive when a test says so, under a kernel that counts copies of connections.
import type {
  Clock,
  Host,
  JackfieldError,
  OwnerEnd,
  Owners,
  Socket,
  StartedOwner,
  Transport,
} from "../../src/core.ts";
import { memoryTransport, type VirtualClock } from "../../src/testing/mod.ts";
import {
  GroupMember,
  type RequestHandler,
  type SocketHandler,
  WorkerGroup,
  type WorkerGroupOptions,
} from "../../src/workers/mod.ts";
import { FakeKernel, type FakeLink, fakeLinks } from "../handoff/fake_owners.ts";

/** One life of a thread. */
export interface FakeLife {
  readonly near: FakeLink;
  readonly far: FakeLink;
  isDead: boolean;
  /** Whether its program is in a loop without an end: it hears nothing. */
  isStuck: boolean;
  die(end: OwnerEnd): void;
  /** Let what was said in this turn go on its way; whether anything was. */
  endTurn(): boolean;
}

/** What the threads do. */
export interface FakeScript {
  readonly onSocket?: SocketHandler;
  readonly onRequest?: RequestHandler;
  /** Whether the next thread that is started comes up. */
  starts?: () => boolean;
  /** See `StartedOwner.mayHoldOn`. */
  readonly mayHoldOn?: boolean;
}

/** The threads of one test. */
export class FakeWorkers implements Owners {
  readonly kernel: FakeKernel = new FakeKernel();
  readonly lives: FakeLife[] = [];
  readonly transport: Transport;
  #clock: VirtualClock;
  #script: FakeScript;

  constructor(clock: VirtualClock, script: FakeScript) {
    this.#clock = clock;
    this.#script = script;
    const host: Host = {
      workers: this,
      descriptors: () => Promise.resolve(this.kernel.descriptors("near")),
      checkDescriptors: () => undefined,
    };
    this.transport = memoryTransport({ clock, host });
  }

  /** A group of them. */
  group(options: Partial<WorkerGroupOptions> = {}): WorkerGroup {
    const { transport } = this;
    const all = { transport, script: "file:///w.ts", clock: this.#clock, random: () => 0.5 };
    return new WorkerGroup({ ...all, ...options });
  }

  check(): JackfieldError | undefined {
    return undefined;
  }

  start(): StartedOwner {
    const holder = `thread ${this.lives.length}`;
    const { near, far } = fakeLinks("thread", this.kernel);
    const { mayHoldOn = false, starts, onSocket, onRequest } = this.#script;
    const alarms: (() => void)[] = [];
    const life: FakeLife = {
      near,
      far,
      isDead: false,
      isStuck: false,
      // What is stuck has no end of its turn.
      endTurn: () => [near, ...life.isStuck ? [] : [far]].some((link) => endTurn(link)),
      die: (end) => {
        if (life.isDead) return;
        life.isDead = true;
        far.isAlive = false;
        far.arriving.length = 0;
        near.arriving.length = 0;
        this.kernel.bury(holder);
        near.end(end);
        for (const cancel of alarms) cancel();
      },
    };
    this.lives.push(life);
    // The dead hear no alarm.
    const clock: Clock = {
      now: () => this.#clock.now(),
      schedule: (delayMs, run) => {
        const cancel = this.#clock.schedule(delayMs, run);
        alarms.push(cancel);
        if (life.isDead) cancel();
        return cancel;
      },
    };
    if (starts?.() === false) {
      queueMicrotask(() => life.die({ reason: "failed", error: new Error("it does not start") }));
    } else {
      const { transport } = this;
      const descriptors = this.kernel.descriptors(holder);
      new GroupMember(far, { transport, descriptors, onSocket, onRequest, clock });
    }
    return Object.assign(near, {
      mayHoldOn,
      terminate: () => {
        life.die({ reason: "terminated" });
        return near.ended;
      },
      ref: () => {},
      unref: () => {},
    });
  }

  /** A connection: its client, and the socket of the server, which can be moved to threads. */
  async connect(): Promise<{ client: Socket; server: Socket }> {
    const listener = await this.transport.listen();
    const [client, accepted] = await Promise.all([
      this.transport.connect(listener.address),
      listener.accept(),
    ]);
    await listener.close();
    return { client, server: this.kernel.adopt(accepted, "near") };
  }

  /** Let everything arrive that is on its way; time stands still. */
  async flow(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await this.#clock.settle();
      for (const life of this.lives) {
        const step = () => life.near.step() || (!life.isStuck && life.far.step());
        while (step() || life.endTurn()) quiet = 0;
      }
    }
  }

  /** The same, while time passes. */
  async pass(ms: number): Promise<void> {
    await this.flow();
    await this.#clock.advance(ms);
    await this.flow();
  }
}

/** A link whose messages come in groups has ends of turns. */
function endTurn(link: { endTurn?(): boolean }): boolean {
  return link.endTurn?.() ?? false;
}
