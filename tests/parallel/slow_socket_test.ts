// Who is slow gets less, and who stands still loses what it had: in memory, in virtual time.
import { assert, assertEquals } from "@std/assert";
import { parallelGet, type ParallelGetResult } from "../../src/parallel/mod.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import type { Socket } from "../../src/transport/mod.ts";
import { systemTransport } from "../../mod.ts";
import { test } from "../harness.ts";
import { bytesOf, pattern, sha256, textOf } from "../transport/tools.ts";
import { partialHead } from "./tools.ts";

const BYTES = pattern(4_000_000);
const LARGE = pattern(60_000_000);
const TURN_MS = 50;

/** Fetch from a server whose connections have these speeds, in bytes per second, in that order. */
async function getAt(
  speeds: readonly ((sentBytes: number) => number)[],
  sockets: number,
  { bytes = BYTES, latencyMs = 0 }: { bytes?: Uint8Array; latencyMs?: number } = {},
): Promise<{ result: ParallelGetResult; seconds: number }> {
  const clock = new VirtualClock();
  const { hash } = systemTransport().host;
  const transport = memoryTransport({ clock, host: { hash } });
  const listener = await transport.listen({ port: 80 });
  const far: Socket[] = [];
  const pass = (ms: number) => new Promise<void>((resolve) => void clock.schedule(ms, resolve));
  const serve = async (socket: Socket, speed: (sentBytes: number) => number) => {
    const buffer = new Uint8Array(4096);
    let sent = 0;
    for (let count = await socket.read(buffer); count !== null; count = await socket.read(buffer)) {
      const [, first, last] = /bytes=(\d+)-(\d+)/.exec(textOf(buffer.subarray(0, count)))!;
      const [start, end] = [Number(first), Math.min(Number(last) + 1, bytes.byteLength)];
      if (latencyMs > 0) await pass(latencyMs);
      await socket.write(bytesOf(partialHead({ start, end }, bytes.byteLength)));
      for (let at = start; at < end;) {
        await pass(TURN_MS);
        const part = bytes.subarray(at, Math.min(end, at + speed(sent) * TURN_MS / 1000));
        await socket.write(part);
        at += part.byteLength;
        sent += part.byteLength;
      }
    }
  };
  const accepting = (async () => {
    for await (const socket of listener) {
      const speed = speeds[far.length] ?? speeds.at(-1)!;
      far.push(socket);
      void serve(socket, speed).catch(() => {});
    }
  })();
  let result: ParallelGetResult | undefined;
  let failure: unknown;
  parallelGet("http://127.0.0.1/x", { transport, clock, sockets, random: () => 0 })
    .then((value) => result = value, (error) => failure = error);
  while (result === undefined && failure === undefined) await clock.advance(100);
  if (result === undefined) throw failure;
  const seconds = clock.now() / 1000;
  await listener.close();
  await accepting;
  for (const socket of far) socket.abort();
  await clock.advance(1000);
  assertEquals(sha256(result.data!), sha256(bytes));
  return { result, seconds };
}

const KB = 1000;

test("parallelGet() gives a slow socket less, so that all are done at once", async () => {
  const { result, seconds } = await getAt([() => 50 * KB, () => 500 * KB], 2);
  const best = BYTES.byteLength / (550 * KB);
  assert(seconds < best * 1.25, `${seconds} s, ${best} s would be the best`);
  const bytes = result.sockets.map(({ bytes }) => bytes).sort((a, b) => a - b);
  assert(bytes[0]! < BYTES.byteLength * 0.2, `the slow one brought ${bytes[0]}`);
  assertEquals(bytes.reduce((sum, count) => sum + count), BYTES.byteLength);
});

test("parallelGet() takes everything from a socket that stands still, long before its time is over", async () => {
  const { seconds } = await getAt([
    (sent) => sent < 400 * KB ? 500 * KB : 0,
    () => 500 * KB,
  ], 2);
  assert(seconds < 12, `${seconds} s; a stalled socket is given up after 30 s only`);
});

test("parallelGet() asks for more at once where answers take long to begin", async () => {
  const options = { bytes: LARGE, latencyMs: 200 };
  const { seconds } = await getAt([() => 20_000 * KB], 2, options);
  const best = LARGE.byteLength / (40_000 * KB);
  // Unit by unit it would wait for an answer as long as it reads one.
  assert(seconds < best * 2.15, `${seconds} s, ${best} s would be the best`);
});
