import { setTimeout as sleep } from "node:timers/promises";
import { spreadOf } from "../support/statistics.ts";
import { type Maker, SOCKETS } from "./cells.ts";
import { newSocket } from "./idle_sockets.ts";
import type { CurveReport } from "./report.ts";
import type { Held, PoolSide } from "./side.ts";

/** A contender whose first turn takes longer is left out of that size and of all larger ones. */
const PATIENCE_MS = 700;

/** How much is measured. */
export interface CurveOptions {
  /** Turns of each contender at each size. */
  readonly rounds: number;
  /** Milliseconds for each turn, where it may be short. */
  readonly ms: number;
}

interface Lane {
  readonly name: string;
  readonly side: PoolSide;
  readonly held: readonly Held[];
  readonly ns: number[];
  count: number;
}

/** What one acquire and release costs as something grows. */
export class Curves {
  #makers: ReadonlyMap<string, Maker>;
  #always: string;
  #options: CurveOptions;

  /** `always` is the contender that is measured however long it takes. */
  constructor(makers: ReadonlyMap<string, Maker>, always: string, options: CurveOptions) {
    this.#makers = makers;
    this.#always = always;
    this.#options = options;
  }

  /** The compilers see everything once, so that the smallest size has no advantage for the rest. */
  async warmUp(): Promise<void> {
    await this.#measure([100], (size) => size, (side, count) => side.awaited(count), 20_000);
    await this.#measure([1_000], () => SOCKETS, (side, count) => side.contended(1_000, count));
  }

  /** One task at a time, while half of the sockets are leased and the others idle. */
  sockets(sizes: readonly number[]): Promise<CurveReport[]> {
    return this.#measure(sizes, (size) => size, (side, count) => side.awaited(count), 2_000);
  }

  /** So many tasks on ten sockets. */
  waiters(sizes: readonly number[]): Promise<CurveReport[]> {
    return this.#measure(
      sizes,
      () => SOCKETS,
      (side, count, size) => side.contended(size, count),
    );
  }

  /** Without `least`, each turn is twice as many operations as the size, and no socket is held. */
  async #measure(
    sizes: readonly number[],
    socketsOf: (size: number) => number,
    run: (side: PoolSide, count: number, size: number) => Promise<void>,
    least?: number,
  ): Promise<CurveReport[]> {
    const reports = [...this.#makers.keys()].map((name) => ({
      name,
      points: [] as { size: number; ns: number | null }[],
    }));
    for (const size of sizes) {
      const lanes: Lane[] = [];
      for (const { name, points } of reports) {
        if (points.at(-1)?.ns === null) continue;
        const sockets = socketsOf(size);
        const lane = await this.#lane(name, sockets, least === undefined ? 0 : sockets / 2);
        lane.count = least ?? 2 * size;
        const tookMs = await time(() => run(lane.side, lane.count, size));
        if (tookMs < this.#options.ms) {
          lane.count = Math.round(lane.count * this.#options.ms / tookMs);
        }
        if (tookMs > PATIENCE_MS && name !== this.#always) await leave(lane);
        else lanes.push(lane);
      }
      await this.#rounds(lanes, (side, count) => run(side, count, size));
      for (const { name, points } of reports) {
        const lane = lanes.find((lane) => lane.name === name);
        points.push({ size, ns: lane === undefined ? null : spreadOf(lane.ns).median });
        if (lane !== undefined) await leave(lane);
      }
    }
    return reports;
  }

  async #rounds(
    lanes: readonly Lane[],
    run: (side: PoolSide, count: number) => Promise<void>,
  ): Promise<void> {
    for (let round = 0; round < this.#options.rounds; round++) {
      for (let at = 0; at < lanes.length; at++) {
        const lane = lanes[(at + round) % lanes.length]!;
        const tookMs = await time(() => run(lane.side, lane.count));
        lane.ns.push(tookMs * 1e6 / lane.count);
        await sleep(1);
      }
    }
  }

  async #lane(name: string, sockets: number, leased: number): Promise<Lane> {
    const connect = () => Promise.resolve(newSocket());
    const side = await this.#makers.get(name)!({ sockets, connect });
    const held: Held[] = [];
    for (let i = 0; i < leased; i++) held.push(await side.lend());
    return { name, side, held, ns: [], count: 0 };
  }
}

async function leave({ side, held }: Lane): Promise<void> {
  for (const one of held) one.giveBack();
  await side.close();
}

async function time(run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
