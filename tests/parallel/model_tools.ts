// A transfer in a world of its own: network, server, disk and time in memory, and bad luck by seed.
import { assert, assertEquals } from "@std/assert";
import { parallelGet } from "../../src/parallel/mod.ts";
import { type Files, type Host, isJackfieldError, type OpenFile } from "../../src/transport/mod.ts";
import { memoryTransport, seededFaults, VirtualClock } from "../../src/testing/mod.ts";
import { systemTransport } from "../../mod.ts";
import type { Socket } from "../../src/transport/mod.ts";
import type { Dice } from "../support/seeds.ts";
import { bytesOf, pattern, textOf } from "../transport/tools.ts";
import { headOf, partialHead } from "./tools.ts";

/** A file in memory that knows how often each of its bytes was written. */
export class MemoryFile {
  bytes: Uint8Array = new Uint8Array(0);
  writes: Uint8Array = new Uint8Array(0);

  resize(size: number): void {
    const [bytes, writes] = [new Uint8Array(size), new Uint8Array(size)];
    bytes.set(this.bytes.subarray(0, size));
    writes.set(this.writes.subarray(0, size));
    [this.bytes, this.writes] = [bytes, writes];
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.byteLength;
    if (end > this.bytes.byteLength) this.resize(end);
    this.bytes.set(bytes, position);
    for (let at = position; at < end; at++) this.writes[at]!++;
  }
}

/** A disk in memory. */
export class MemoryDisk {
  readonly files: Map<string, MemoryFile> = new Map();

  /** What a transfer sees of it. */
  get host(): Files {
    const missing = () => Promise.reject(Object.assign(new Error("missing"), { osCode: "ENOENT" }));
    const partly: Partial<Files> = {
      open: (path, { create = false } = {}) => {
        let file = this.files.get(path);
        if (file === undefined && !create) return missing();
        if (create) this.files.set(path, file = new MemoryFile());
        return Promise.resolve(open(file!));
      },
      stat: missing,
      realPath: (path) => Promise.resolve(path),
      join: (...parts) => parts.join("/"),
      rename: (from, to) => {
        this.files.set(to, this.files.get(from)!);
        this.files.delete(from);
        return Promise.resolve();
      },
      remove: (path) => this.files.delete(path) ? Promise.resolve() : missing(),
    };
    return partly as Files;
  }
}

function open(file: MemoryFile): OpenFile {
  const partly: Partial<OpenFile> = {
    stat: () => Promise.resolve({ size: file.bytes.byteLength } as never),
    read: (into, position) => {
      const part = file.bytes.subarray(position, position + into.byteLength);
      into.set(part);
      return Promise.resolve(part.byteLength);
    },
    write: (bytes, position) => Promise.resolve(file.write(bytes, position)),
    truncate: (size) => Promise.resolve(file.resize(size)),
    sync: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  return partly as OpenFile;
}

/** One schedule: what the file is like, how the server and the network misbehave. */
export interface Schedule {
  readonly size: number;
  readonly unitBytes: number;
  readonly sockets: number;
  /** How often something goes wrong, from 0 to 1. */
  readonly trouble: number;
  /** How often a connection is a slow one, from 0 to 1. */
  readonly slowness: number;
}

/** Draw a schedule. */
export function drawSchedule(dice: Dice): Schedule {
  const isLarge = dice.below(4) === 0; // so that there is something to take over in parts
  return {
    size: 1 + dice.below(isLarge ? 1_000_000 : 120_000),
    unitBytes: 1024 + dice.below(isLarge ? 500_000 : 20_000),
    sockets: 1 + dice.below(6),
    trouble: dice.below(4) === 0 ? 0 : dice.random() * 0.15,
    slowness: 0.25,
  };
}

/** The world of one schedule. */
export class World {
  readonly clock: VirtualClock = new VirtualClock();
  readonly disk: MemoryDisk = new MemoryDisk();
  readonly bytes: Uint8Array;
  /** Bytes of the file that the server has sent. */
  sentBytes = 0;
  #schedule: Schedule;
  #dice: Dice;
  #transport: ReturnType<typeof memoryTransport>;

  constructor(schedule: Schedule, dice: Dice) {
    this.#schedule = schedule;
    this.#dice = dice;
    // No zeros: a block of them may be one that never reached the disk.
    this.bytes = pattern(schedule.size, dice.below(1e9)).map((byte) => byte | 1);
    const { trouble } = schedule;
    const host: Host = { hash: systemTransport().host.hash, files: this.disk.host };
    const faults = seededFaults({
      seed: dice.below(1e9),
      connect: trouble / 2,
      read: trouble / 10,
      write: trouble / 10,
      delay: trouble,
      maxDelayMs: 400,
    });
    // Accepting and serving are no part of the test: their own reads do not fail.
    this.#transport = memoryTransport({ clock: this.clock, host, faults, pipeBytes: 16_384 });
  }

  /** Run with the server. */
  async serving(run: () => Promise<void>): Promise<void> {
    const listener = await this.#transport.listen({ port: 80 });
    const far: Socket[] = [];
    const accepting = (async () => {
      for await (const socket of listener) {
        far.push(socket);
        void this.#serve(socket).catch(() => socket.abort());
      }
    })();
    try {
      await run();
    } finally {
      await listener.close();
      await accepting;
      for (const socket of far) socket.abort();
    }
    await this.clock.advance(100_000);
    assertEquals(this.#transport.openEnds, 0, "ends are open");
    assertEquals(this.clock.pending, 0, "timers are left");
  }

  /** Fetch; given up at a moment, if one is named. Resolves to whether it is complete. */
  async get(giveUpMs: number = Infinity): Promise<boolean> {
    const controller = new AbortController();
    const { sockets, unitBytes } = this.#schedule;
    let outcome: "complete" | "ended" | undefined;
    let failure: unknown;
    const got = parallelGet("http://127.0.0.1/file.bin", {
      transport: this.#transport,
      clock: this.clock,
      random: () => this.#dice.random(),
      to: "file.bin",
      sockets,
      unitBytes,
      retries: 20,
      stallTimeoutMs: 3000,
      keepUnfinished: true,
      signal: controller.signal,
    }).then(() => outcome = "complete", (error) => {
      outcome = "ended";
      failure = error;
    });
    const begin = this.clock.now();
    while (outcome === undefined) {
      assert(this.clock.now() - begin < 3_600_000, "it does not end");
      await this.clock.advance(50);
      if (this.clock.now() - begin >= giveUpMs) controller.abort("given up");
    }
    await got;
    if (outcome === "ended" && failure !== "given up" && !isExpected(failure)) throw failure;
    return outcome === "complete";
  }

  /** What is there is right, and every byte was written once. */
  assertComplete(maxWrites = 1): void {
    const file = this.disk.files.get("file.bin")!;
    assertEquals(file.bytes.byteLength, this.bytes.byteLength);
    for (let at = 0; at < this.bytes.byteLength; at++) {
      if (file.bytes[at] !== this.bytes[at]) throw new Error(`byte ${at} is wrong`);
      const writes = file.writes[at]!;
      if (writes < 1 || writes > maxWrites) {
        throw new Error(`byte ${at} was written ${writes} times`);
      }
    }
    assertEquals([...this.disk.files.keys()], ["file.bin"]);
  }

  async #serve(socket: Socket): Promise<void> {
    const dice = this.#dice;
    const { size, trouble, slowness } = this.#schedule;
    const isSlow = dice.random() < slowness;
    for (let head = await readHead(socket); head !== ""; head = await readHead(socket)) {
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(head)!;
      const start = Number(first);
      const end = Math.min(Number(last) + 1, size);
      if (dice.random() < trouble / 4) {
        await socket.write(bytesOf(headOf(503, { "Content-Length": 0 })));
        continue;
      }
      if (dice.random() < trouble / 4) return await socket.close();
      await socket.write(bytesOf(partialHead({ start, end }, size)));
      for (let at = start; at < end;) {
        const count = Math.min(end - at, 1 + dice.below(8000));
        if (dice.random() < trouble / 8) return socket.abort();
        if (dice.random() < trouble / 8) await new Promise(() => {}); // It says no more.
        if (isSlow) {
          await new Promise<void>((resolve) => void this.clock.schedule(200, resolve));
        }
        await socket.write(this.bytes.subarray(at, at + count));
        this.sentBytes += count;
        at += count;
      }
    }
    await socket.close();
  }
}

/** With bad luck enough even twenty retries do not do. */
function isExpected(error: unknown): boolean {
  return isJackfieldError(error, "TRANSFER_FAILED") || isJackfieldError(error, "CONNECT_FAILED") ||
    isJackfieldError(error, "HTTP_STATUS");
}

async function readHead(socket: Socket): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.endsWith("\r\n\r\n")) {
    const count = await socket.read(buffer);
    if (count === null) return "";
    text += textOf(buffer.subarray(0, count));
  }
  return text;
}

/** Fetch with whatever luck the seed brings; every byte is written exactly once. */
export async function runSchedule(dice: Dice): Promise<void> {
  const world = new World(drawSchedule(dice), dice);
  await world.serving(async () => {
    if (await world.get()) world.assertComplete();
  });
}

/**
 * The same, given up again and again at any moment, with a new run each time: the file is right in the
 * end, and no more is fetched twice than one unit for each socket and run.
 */
export async function runInterrupted(dice: Dice): Promise<void> {
  const schedule = { ...drawSchedule(dice), unitBytes: 1024, trouble: 0, slowness: 1 };
  const world = new World(schedule, dice);
  await world.serving(async () => {
    let runs = 0;
    while (!await world.get(500 + dice.below(3000))) {
      if (++runs > 200) throw new Error("it does not get on");
    }
    world.assertComplete(255);
    const file = world.disk.files.get("file.bin")!;
    const twice = file.writes.reduce((sum, writes) => sum + writes - 1, 0);
    const bound = runs * schedule.sockets * schedule.unitBytes;
    assert(twice <= bound, `${twice} bytes were written again in ${runs} runs, at most ${bound}`);
  });
}
