import process from "node:process";
import type { PropertyRun } from "../../../src/testing/mod.ts";
import { Watch } from "./invariants.ts";
import { move } from "./moves.ts";
import { OrderWatch } from "./order.ts";
import { PoolModel } from "./pool_model.ts";

/** What came of a run. */
export interface RunFacts {
  readonly leases: number;
  readonly asked: number;
  readonly connects: number;
}

/**
 * Make so many random moves with a pool and look at it after each; then end it and see that nothing
 * is left.
 */
export async function runModel(run: PropertyRun, steps: number): Promise<RunFacts> {
  const { stackTraceLimit } = Error;
  // Most failures in here are on purpose, and their stacks would cost as much as all the rest.
  if (process.env.JACKFIELD_SEED === undefined) Error.stackTraceLimit = 0;
  try {
    return await runMoves(run, steps);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function runMoves(run: PropertyRun, steps: number): Promise<RunFacts> {
  const model = await PoolModel.start(run, run.seed);
  const watch = new Watch(model);
  const order = new OrderWatch(model);
  let wrong = watch.now(model.stats);
  for (const _step of run.steps(steps)) {
    if (wrong !== undefined) break;
    model.movesInTurn++;
    const made = move(model);
    run.note(typeof made === "string" ? made : await made);
    wrong = watch.now(model.stats);
    // Some moves come on top of each other.
    if (wrong !== undefined || (run.below(4) === 0 && !model.isRoundDone)) continue;
    await model.clock.settle();
    const stats = model.stats;
    wrong = watch.now(stats) ?? watch.settled(stats) ?? order.look();
    if (wrong === undefined && model.isRoundDone) wrong = watch.kept(stats);
    model.isRoundDone = false;
    model.movesInTurn = 0;
  }
  let stats = JSON.stringify(model.stats);
  if (wrong === undefined) wrong = await finish(model, watch);
  else {
    model.closing = true;
    model.pool.abort();
  }
  await model.network.stop();
  if (wrong === undefined) {
    wrong = await leftovers(model);
    stats = JSON.stringify(model.stats);
  }
  if (wrong !== undefined) {
    throw new Error(`${wrong}\n${stats}\nof ${JSON.stringify(model.settings)}`);
  }
  return { leases: model.leases, asked: model.asked, connects: sum(model.network.connects) };
}

/** End the pool in one of its ways. */
async function finish(model: PoolModel, watch: Watch): Promise<string | undefined> {
  const { clock, dice, pool } = model;
  const how = dice.below(3);
  model.closing = true;
  let isClosed = false;
  const promise = pool.close();
  const closed = promise.then(() => isClosed = true);
  if (pool.close() !== promise) return "close gave another promise";
  if (how === 0) {
    pool.abort(new Error("enough"));
    for (const holding of [...model.holdings.values()]) model.letGo(holding);
  }
  try {
    pool.tryAcquire();
    return "tryAcquire went on after close";
  } catch {
    // As it must.
  }
  model.acquire({});
  await clock.settle();
  const stats = model.stats;
  const wrong = watch.now(stats) ?? watch.settled(stats);
  if (wrong !== undefined) return `while it closed: ${wrong}`;
  if (model.poolClock.pending > 0) return "a timer of a pool that is closed";
  if (model.open.size > 0) return "callers wait for a pool that is closed";
  if (model.holdings.size > 0 && isClosed) return "closed before every lease was given back";
  for (const holding of [...model.holdings.values()]) {
    model.letGo(holding);
    holding.lease.release();
  }
  for (const task of model.tasks) task.tell("finish");
  await clock.advance(200); // Sockets close, hooks that are late come.
  await clock.settle();
  if (!isClosed) return "not closed when every lease was given back";
  await closed;
  return watch.now(model.stats) ?? watch.settled(model.stats);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** What must not be left after the end. */
async function leftovers(model: PoolModel): Promise<string | undefined> {
  const { clock, network, open, tasks } = model;
  await clock.advance(200);
  const { size, idle, leased, connecting, checking, closing, waiting } = model.stats;
  const left = size + idle + leased + connecting + checking + closing + waiting;
  if (left !== 0) return "the pool is not empty after its end";
  if (open.size > 0) return "callers were not told of the end";
  if (tasks.size > 0) return "a use has not settled";
  if (model.unsettled > 0) return `${model.unsettled} promises have not settled`;
  if (network.memory.openEnds > 0) return `${network.memory.openEnds} ends are left open`;
  if (clock.pending > 0) return `${clock.pending} timers are left`;
  for (const { listeners } of model.allSignals) {
    if (listeners !== 0) return `${listeners} listeners are left at a signal`;
  }
  return model.failures[0];
}
