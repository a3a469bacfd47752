// A transfer over real sockets, of which some are ended or held at random while it goes on.
import { createHash } from "node:crypto";
import process from "node:process";
import { connectStriped, listenStriped } from "../../../src/parallel/striped/mod.ts";
import { systemTransport } from "../../../src/system_transport.ts";
import { seededRandom } from "../../../src/testing/mod.ts";
import { pattern } from "../../transport/tools.ts";
import { Weather } from "./weather.ts";

/** What is transferred, and what happens meanwhile. */
export interface Transfer {
  readonly bytes: number;
  readonly sockets: number;
  /** A socket at random is ended every so many milliseconds. */
  readonly killEveryMs?: number;
  /** A socket at random is held every so many milliseconds, each for three times as long. */
  readonly holdEveryMs?: number;
  readonly resendAfterMs?: number;
  readonly seed: number;
}

/** What one end has seen. */
export interface Outcome {
  readonly bytes: number;
  readonly digest: string;
  readonly ms: number;
  /** The most memory of the process, and how much of it came with the transfer. */
  readonly rssMib: number;
  readonly grownMib: number;
  readonly kills: number;
  readonly holds: number;
  readonly resentMib: number;
}

const MIB = 2 ** 20;
const BLOCK = pattern(4 * MIB, 11);

/** Take one transfer; `told` is given the port. */
export async function receive(told: (port: number) => void): Promise<Outcome> {
  const listener = await listenStriped({ transport: systemTransport() });
  told(listener.address.port);
  const socket = await listener.accept();
  const hash = createHash("sha256");
  const into = new Uint8Array(256 * 1024);
  const memory = watchMemory();
  const beganMs = performance.now();
  let bytes = 0;
  for (;;) {
    const count = await socket.read(into);
    if (count === null) break;
    hash.update(into.subarray(0, count));
    bytes += count;
  }
  const ms = performance.now() - beganMs;
  await socket.close();
  await listener.close();
  const nothing = { kills: 0, holds: 0, resentMib: 0 };
  return { bytes, digest: hash.digest("hex"), ms, ...memory(), ...nothing };
}

/** Send one transfer. */
export async function send(port: number, transfer: Transfer): Promise<Outcome> {
  const { bytes, sockets, seed, resendAfterMs } = transfer;
  const weather = new Weather(systemTransport());
  const target = { hostname: "127.0.0.1", port };
  const socket = await connectStriped(target, {
    transport: weather.transport,
    sockets,
    resendAfterMs,
    backoffMs: 10,
  });
  const memory = watchMemory();
  const hash = createHash("sha256");
  const trouble = startTrouble(weather, transfer);
  const beganMs = performance.now();
  try {
    const random = seededRandom(seed);
    for (let at = 0; at < bytes;) {
      const start = Math.floor(random() * 2 * MIB);
      const length = Math.min(bytes - at, 1 + Math.floor(random() * 2 * MIB));
      const part = BLOCK.subarray(start, start + length);
      hash.update(part);
      await socket.write(part);
      at += length;
    }
    await socket.closeWrite();
  } finally {
    trouble.stop();
  }
  const ms = performance.now() - beganMs;
  const resentMib = Math.round(socket.bundle.resentBytes / MIB);
  await socket.close();
  const { kills, holds } = trouble;
  return { bytes, digest: hash.digest("hex"), ms, ...memory(), kills, holds, resentMib };
}

function startTrouble(
  weather: Weather,
  { killEveryMs, holdEveryMs, seed }: Transfer,
): { kills: number; holds: number; stop(): void } {
  const random = seededRandom(seed + 1);
  const anyone = () => weather.sockets[Math.floor(random() * weather.sockets.length)];
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const trouble = {
    kills: 0,
    holds: 0,
    stop() {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of weather.sockets) socket.release();
    },
  };
  if (killEveryMs !== undefined) {
    timers.add(setInterval(() => {
      const socket = anyone();
      if (socket === undefined) return;
      trouble.kills++;
      socket.abort();
    }, killEveryMs));
  }
  if (holdEveryMs !== undefined) {
    timers.add(setInterval(() => {
      const socket = anyone();
      if (socket === undefined || socket.isHeld) return;
      trouble.holds++;
      socket.hold();
      timers.add(setTimeout(() => socket.release(), 3 * holdEveryMs));
    }, holdEveryMs));
  }
  return trouble;
}

function watchMemory(): () => { rssMib: number; grownMib: number } {
  const rss = () => process.memoryUsage().rss / MIB;
  const beganMib = rss();
  let mostMib = beganMib;
  const timer = setInterval(() => mostMib = Math.max(mostMib, rss()), 50);
  return () => {
    clearInterval(timer);
    return { rssMib: Math.round(mostMib), grownMib: Math.round(mostMib - beganMib) };
  };
}
