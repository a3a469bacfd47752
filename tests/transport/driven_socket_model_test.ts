// Random use of both ends of a connection in memory, with faults and virtual time. In half of the
// schedules the near end is a driver of Deno's over that connection, which learns of bytes only by
// reading. Each seed is one schedule; a failure names its seed, and `JACKFIELD_SEED=<seed>` runs that
// one alone. JACKFIELD_SCHEDULES says how many there are.
import { assert, assertEquals, assertThrows } from "@std/assert";
import process from "node:process";
import {
  createSocket,
  detachSocket,
  isJackfieldError,
  moveSocket,
  type Socket,
  type SocketEvent,
  type SocketState,
} from "../../src/core.ts";
import {
  memoryTransport,
  seededFaults,
  seededRandom,
  VirtualClock,
} from "../../src/testing/mod.ts";
import { DenoDriver } from "../../src/adapters/deno/driver.ts";
import type { DenoConn } from "../../src/adapters/deno/mod.ts";
import { test } from "../harness.ts";
import { readDriver } from "./fakes.ts";

const SCHEDULES = Number(process.env.JACKFIELD_SCHEDULES ?? 600);
const EVENTS: readonly SocketEvent[] = ["opened", "halved", "closing", "closed", "handed"];
const ABORTED = new Error("aborted by the test");

/** Whether the table leads from one state to the other, in any number of steps. */
function leads(from: SocketState, to: SocketState): boolean {
  if (from === to) return true;
  return EVENTS.some((event) => {
    let next: SocketState;
    try {
      next = moveSocket(from, event);
    } catch {
      return false; // not in the table
    }
    return leads(next, to);
  });
}

/** The bytes of one direction: each tells its position and its direction. */
function stretch(from: number, length: number, direction: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => ((from + at) * 31 + direction * 97) & 255);
}

/** The same connection through Deno's driver: nothing is told but to who reads. */
function throughDeno(socket: Socket): Socket {
  const { driver, ...facts } = detachSocket(socket);
  const addr = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
  const conn: DenoConn = {
    localAddr: addr,
    remoteAddr: addr,
    read: (into) => readDriver(driver, into),
    write: async (bytes) => await driver.write(bytes),
    closeWrite: async () => await driver.closeWrite(),
    close: () => void driver.close(),
  };
  return createSocket(new DenoDriver(conn), facts);
}

/** One end of the connection, what was done with it, and what must hold. */
class End {
  socket: Socket;
  /** Calls that have not settled. */
  pending = 0;
  /** Reads among them that wait for something. */
  reads = 0;
  /** Bytes passed to `write`, and those of writes that resolved. */
  offered = 0;
  sent = 0;
  /** Where the first write that was refused begins; no later one may have been sent. */
  refusedFrom = Infinity;
  /** Bytes read, and whether the end of the stream was. */
  received = 0;
  ended = false;
  /** Whether it was closed or aborted, so that bytes may be lost. */
  cut = false;
  /** Whether a watch told of an end. */
  heard = false;
  /** The watch that has not told and was not ended, and whether something was unread before it. */
  watching: { readonly hadUnread: boolean } | undefined;
  #direction: number;
  #state: SocketState;

  /** Whether a read may be over when its call returns; then the next one is not the second. */
  #answersAtOnce: boolean;

  constructor(socket: Socket, direction: number, answersAtOnce = false) {
    this.socket = socket;
    this.#answersAtOnce = answersAtOnce;
    this.#direction = direction;
    this.#state = socket.state;
  }

  /** The state may only have moved along the table since the last look. */
  look(): void {
    const { state } = this.socket;
    assert(leads(this.#state, state), `${this.#state} led to ${state}`);
    this.#state = state;
    assert(this.pending > 0 || !this.socket.isBusy, "busy with nothing");
  }

  /** With nothing on the way any more a watch must have told of everything. */
  lookCalmly(): void {
    if (this.watching === undefined || this.watching.hadUnread) return;
    assert(!this.socket.hasUnread, "nobody was told of what came");
    assert(this.#state !== "closed", "nobody was told of the end");
  }

  watch(): void {
    const { socket } = this;
    const alive = () => ["open", "half-closed"].includes(socket.state);
    const before = socket.state;
    const watching = { hadUnread: socket.hasUnread || !alive() || this.ended };
    try {
      socket.watch(() => {
        if (this.watching !== watching) this.broken ??= new Error("told after the watch had ended");
        this.watching = undefined;
        const news = socket.hasUnread || !alive();
        // Once its own end has gone out too, nobody can read the end that was told.
        if (socket.state !== before) this.heard = true;
        if (!news) this.broken ??= new Error("told of nothing");
        if (socket.isBusy && this.pending === 0) this.broken ??= new Error("busy with a watch");
      });
    } catch (error) {
      assert(this.reads > 0 && isJackfieldError(error, "SOCKET_BUSY"), `watch threw ${error}`);
      return;
    }
    this.watching = watching;
  }

  unwatch(): void {
    this.socket.watch(undefined);
    this.watching = undefined;
  }

  read(length: number): void {
    const into = new Uint8Array(length);
    const second = this.reads > 0 || length === 0; // nothing to wait for
    const waits = length > 0 ? 1 : 0;
    this.reads += waits;
    this.watching = undefined;
    const { socket } = this;
    const over = () => {
      if (this.socket === socket) this.reads -= waits; // Those of a socket that is gone are taken back.
    };
    this.#call(socket.read(into), (count) => {
      over();
      const alone = !second || this.#answersAtOnce || count === null || length === 0;
      assert(alone, "two reads at a time");
      if (count === null) {
        this.ended = true;
        return;
      }
      assert(count <= length && (count > 0 || length === 0), `read ${count} into ${length}`);
      assert(!this.ended || count === 0, "bytes after the end");
      const expected = stretch(this.received, count, 1 - this.#direction);
      assertEquals(into.subarray(0, count), expected, `bytes from ${this.received}`);
      this.received += count;
    }, over);
  }

  write(length: number): void {
    const from = this.offered;
    this.offered += length;
    this.#call(this.socket.write(stretch(from, length, this.#direction)), (count) => {
      assertEquals(count, length);
      if (length > 0) this.sent = Math.max(this.sent, from + length);
    }, () => this.refusedFrom = Math.min(this.refusedFrom, from));
  }

  closeWrite(): void {
    this.#call(this.socket.closeWrite(), () => {});
  }

  close(): void {
    this.cut = true;
    this.watching = undefined;
    this.#call(this.socket.close(), () => {}, () => assert(false, "close rejected"));
  }

  abort(): void {
    this.cut = true;
    this.watching = undefined;
    this.socket.abort(ABORTED);
  }

  /** Move the connection to another socket, if it is free to go; a pending read may be taken back. */
  handOff(): void {
    const old = this.socket;
    if (this.pending > this.reads || !["open", "half-closed"].includes(old.state)) return;
    if (this.#answersAtOnce && old.isBusy) {
      assertThrows(() => detachSocket(old, { whileReading: true }), Error, "a read or write is");
      return;
    }
    const { driver, ...facts } = detachSocket(old, { whileReading: true });
    assertEquals(old.state, "gone");
    this.watching = undefined;
    this.socket = createSocket(driver, facts);
    this.reads = 0;
    this.#state = this.socket.state;
  }

  #call<T>(promise: Promise<T>, check: (value: T) => void, failed: () => void = () => {}): void {
    this.pending++;
    promise.then(check, (error) => {
      assert(error === ABORTED || isJackfieldError(error), `rejected with ${error}`);
      failed();
    }).then(() => this.pending--, (error) => this.broken ??= error);
  }

  /** What a settled call found wrong. */
  broken: unknown;
}

/** Run one schedule. */
async function runSchedule(seed: number, log: string[]): Promise<void> {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const clock = new VirtualClock();
  const harsh = random() < 0.3;
  const delayed = random() < 0.5;
  const faults = seededFaults({
    seed: seed + 1,
    delay: delayed ? 0.3 : 0,
    ...(harsh ? { connect: 0.1, read: 0.03, write: 0.03 } : {}),
  });
  const transport = memoryTransport({ clock, faults, pipeBytes: 1 + below(150) });
  const listener = await transport.listen();
  const connecting = transport.connect(listener.address).catch(() => undefined);
  await clock.runAll();
  const near = await connecting;
  if (near === undefined) {
    await listener.close();
    assertEquals([transport.openEnds, clock.pending], [0, 0]);
    return;
  }
  const quiet = random() < 0.5;
  if (quiet) log.push("near is of Deno");
  const first = quiet ? throughDeno(near) : near;
  const ends = [new End(first, 0, quiet), new End(await listener.accept(), 1)] as const;
  const check = () => {
    for (const end of ends) {
      end.look();
      if (end.broken !== undefined) throw end.broken;
    }
  };

  const act = (at: number, what: string, run: (end: End) => void) => {
    log.push(`${at === 0 ? "near" : "far"} ${what}`);
    run(ends[at]!);
  };
  for (let steps = 5 + below(30); steps > 0; steps--) {
    const [who, dice] = [below(2), below(100)];
    const [length, pauseMs] = [below(60), below(8)];
    if (dice < 30) act(who, `reads ${length}`, (end) => end.read(length));
    else if (dice < 38) act(who, "watches", (end) => end.watch());
    else if (dice < 40) act(who, "stops watching", (end) => end.unwatch());
    else if (dice < 70) act(who, `writes ${length}`, (end) => end.write(length));
    else if (dice < 75) act(who, "closes its write side", (end) => end.closeWrite());
    else if (dice < 78) act(who, "closes", (end) => end.close());
    else if (dice < 80) act(who, "aborts", (end) => end.abort());
    else if (dice < 84) act(who, "is handed off", (end) => end.handOff());
    else if (dice < 92) {
      await clock.settle();
      check();
      if (!delayed) { for (const end of ends) end.lookCalmly(); }
    } else await clock.advance(pauseMs);
    check();
  }

  const gentle = random() < 0.7;
  log.push(gentle ? "both finish" : "both close");
  const clean = gentle && !harsh && !ends.some(({ cut }) => cut);
  if (gentle) await finish(ends, clock);
  if (clean) {
    for (const [at, { socket, received, ended, heard }] of ends.entries()) {
      assertEquals([socket.state, ended || heard], ["closed", true]);
      assertEquals(received, ends[1 - at]!.sent);
      await socket.closed;
    }
  }
  for (const end of ends) end.close();
  await clock.runAll();
  check();
  for (const [at, end] of ends.entries()) {
    const peer = ends[1 - at]!;
    assertEquals([end.pending, end.socket.state], [0, "closed"], "every call settles");
    assert(peer.sent <= peer.refusedFrom, "a write was sent after one that was refused");
    assert(end.received <= peer.offered, "more bytes than were sent");
    if (end.ended) assert(end.received >= peer.sent, "an end of the stream before the last byte");
    await end.socket.closed.catch(() => {});
  }
  await listener.close();
  assertEquals(transport.openEnds, 0, "ends left open");
  assertEquals(clock.pending, 0, "timers left");
}

/** Both send their end and read what there is. */
async function finish(ends: readonly [End, End], clock: VirtualClock): Promise<void> {
  for (const end of ends) end.closeWrite();
  for (let rounds = 0; rounds < 5000; rounds++) {
    for (const end of ends) if (end.reads === 0 && !end.ended) end.read(64);
    await clock.advance(10); // in all more than a close waits for writes
    const over = ends.every(({ ended, socket }) => ended || socket.state === "closed");
    if (over) return;
  }
  assert(false, "no end of the stream came");
}

const only = process.env.JACKFIELD_SEED;
const seeds = only === undefined
  ? Array.from({ length: SCHEDULES }, (_, at) => at + 1)
  : [Number(only)];

test(`Socket keeps its promises in ${seeds.length} random schedules`, async () => {
  for (const seed of seeds) {
    const log: string[] = [];
    try {
      await runSchedule(seed, log);
    } catch (cause) {
      const message = `JACKFIELD_SEED=${seed} shows it: ${(cause as Error).message}`;
      throw new Error(`${message}\n  ${log.join("\n  ")}`, { cause });
    }
  }
});
