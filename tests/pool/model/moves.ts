import type { AcquireOptions } from "../../../src/core.ts";
import type { Holding } from "./ask.ts";
import type { Connection } from "./connection.ts";
import { BEHAVIOURS } from "./network.ts";
import type { PoolModel } from "./pool_model.ts";
import { drawStrategy, takesAny, TENANTS } from "./settings.ts";
import type { Task } from "./task.ts";

/** One move: what it did, or `undefined` when there was nothing to do. */
type Move = (model: PoolModel) => string | undefined | Promise<string>;

/** The pool looks after what is idle at least so often. */
const ROUND_MS = 250;
const BYTES = new Uint8Array(10);
const NAMES = Object.keys(TENANTS);

/** What callers say. */
function drawOptions(model: PoolModel): AcquireOptions {
  const { dice } = model;
  const options: { -readonly [K in keyof AcquireOptions]: AcquireOptions[K] } = {};
  switch (dice.below(8)) {
    case 0:
    case 1:
      options.timeoutMs = 1 + dice.below(20);
      break;
    case 2:
      options.timeoutMs = Infinity;
      break;
    case 3:
      break;
    default:
      options.timeoutMs = 200;
  }
  if (dice.below(10) < 3) options.signal = dice.oneOf(model.signals).controller.signal;
  if (dice.below(10) < 4) options.tenant = dice.oneOf(NAMES);
  if (dice.below(10) < 3) options.priority = dice.below(17) - 8;
  if (dice.below(10) < 4) options.key = dice.below(4);
  if (dice.below(10) < 1) options.label = "a caller";
  return options;
}

function anyHolding({ dice, holdings }: PoolModel): Holding | undefined {
  return holdings.size === 0 ? undefined : nth(holdings.values(), dice.below(holdings.size));
}

function anyTask({ dice, tasks }: PoolModel): Task | undefined {
  if (tasks.size === 0) return undefined;
  const task = nth(tasks, dice.below(tasks.size));
  return task.isEnding ? undefined : task;
}

function anyConnection({ dice, network }: PoolModel): Connection | undefined {
  return network.connections.length === 0 ? undefined : dice.oneOf(network.connections);
}

function nth<T>(items: Iterable<T>, place: number): T {
  for (const item of items) if (place-- === 0) return item;
  throw new RangeError("there are fewer");
}

function call(model: PoolModel): string {
  const isUse = model.settings.nests && model.dice.below(4) > 0;
  if (isUse) model.use(drawOptions(model));
  else model.acquire(drawOptions(model));
  return isUse ? "use" : "acquire";
}

function release(model: PoolModel): string | undefined {
  const holding = anyHolding(model);
  if (holding === undefined) return undefined;
  model.letGo(holding);
  holding.lease.release();
  return "release";
}

function discard(model: PoolModel): string | undefined {
  const holding = anyHolding(model);
  if (holding === undefined) return undefined;
  model.letGo(holding);
  holding.lease.discard();
  return "discard";
}

/** Give a socket back that the next task could not use. */
function releaseDirty(model: PoolModel): string | undefined {
  const holding = anyHolding(model);
  if (holding === undefined) return undefined;
  const { socket } = holding.lease;
  const how = model.dice.below(4);
  if (how === 0) socket.read(new Uint8Array(8)).catch(() => {});
  else if (how === 1) socket.closeWrite().catch(() => {});
  else if (how === 2) void socket.close();
  else socket.abort();
  model.letGo(holding);
  holding.lease.release();
  return `release after ${["read", "closeWrite", "close", "abort"][how]}`;
}

/** The first one counts. */
function releaseAgain(model: PoolModel): string | undefined {
  if (model.over.length === 0) return undefined;
  const lease = model.dice.oneOf(model.over);
  if (lease.state === "leased") return undefined; // A task that is about to end.
  const before = model.stats;
  if (model.dice.below(2) === 0) lease.release();
  else lease.discard();
  const after = model.stats;
  if (after.leased !== before.leased || after.size !== before.size) {
    model.failures.push("a lease was given back twice");
  }
  return "release again";
}

/** Who has given a socket back ends it all the same. */
function meddle(model: PoolModel): string | undefined {
  if (model.over.length === 0) return undefined;
  const { socket } = model.dice.oneOf(model.over);
  if (model.dice.below(2) === 0) socket.abort();
  else void socket.close();
  return "end a socket given back";
}

function workWith(model: PoolModel): string | undefined {
  const holding = anyHolding(model);
  if (holding === undefined) return undefined;
  const { socket } = holding.lease;
  if (socket.hasUnread && model.dice.below(2) === 0) {
    socket.read(new Uint8Array(64)).catch(() => {});
    return "read";
  }
  socket.write(BYTES).catch(() => {});
  return "write";
}

function end(model: PoolModel, how: "finish" | "fail"): string | undefined {
  const task = anyTask(model);
  if (task === undefined) return undefined;
  for (const holding of model.holdings.values()) {
    if (holding.task === task) model.letGo(holding);
  }
  task.tell(how);
  return how;
}

function callWithin(model: PoolModel): string | undefined {
  const task = anyTask(model);
  if (task === undefined || task.depth > 2) return undefined;
  const drawn = drawOptions(model);
  const isShort = model.dice.below(2) === 0;
  const options = isShort ? { ...drawn, timeoutMs: 1 + model.dice.below(8) } : drawn;
  const isUse = model.dice.below(2) === 0;
  task.tell(() => isUse ? model.use(options, task) : model.acquire(options, task));
  return isUse ? "use within a task" : "acquire within a task";
}

function abortSignal(model: PoolModel): string {
  const [counted] = model.signals.splice(model.dice.below(model.signals.length), 1);
  counted!.controller.abort(new Error("gave up"));
  if (model.dice.below(4) === 0) { // Somebody may still call with it.
    model.signals.push(counted!);
    if (model.signals.length < 6) model.newSignal();
  } else model.newSignal();
  if (model.signals.length > 5) model.signals.shift();
  return "abort a signal";
}

/** Something happens at the other end of a connection. */
function disturb(model: PoolModel): string | undefined {
  const connection = anyConnection(model);
  const far = connection === undefined ? undefined : model.network.farOf(connection);
  if (far === undefined) return undefined;
  const how = model.dice.oneOf(["reset", "close", "half-close", "write"] as const);
  far.disturb(how);
  return `${how} by the peer`;
}

function changeMood({ dice, network, settings }: PoolModel): string {
  const target = dice.below(settings.targets);
  const behaviour = dice.below(6) > 0 ? "accept" : dice.oneOf(BEHAVIOURS);
  network.behaviours[target] = behaviour;
  return `target ${target} will ${behaviour}`;
}

function resize(model: PoolModel): string {
  const { minIdle } = model.settings.options;
  const maxSize = Math.max(1, minIdle!, model.dice.below(8));
  const { size } = model.stats;
  model.pool.resize(maxSize);
  model.bound = Math.max(maxSize, size);
  return `resize to ${maxSize}`;
}

function swapStrategy(model: PoolModel): string {
  const strategy = drawStrategy(model.dice);
  model.takesAny = takesAny(strategy);
  model.pool.strategy = strategy;
  return `strategy ${strategy.name}`;
}

function addSocket(model: PoolModel): string {
  model.unsettled++;
  const session = model.dice.below(2) === 0 ? undefined : {};
  model.network.connectElsewhere()
    .then((connection) => model.add(connection, session), () => {})
    .finally(() => model.unsettled--);
  return "add";
}

function warmUp(model: PoolModel): string {
  model.unsettled++;
  model.warming++;
  model.pool.warmUp().catch(() => {}).finally(() => {
    model.unsettled--;
    model.warming--;
  });
  return "warm up";
}

async function advance(model: PoolModel, ms: number): Promise<string> {
  await model.clock.advance(ms);
  model.isRoundDone = ms >= ROUND_MS;
  return `advance ${ms}`;
}

const MOVES: readonly (readonly [weight: number, move: Move])[] = [
  [20, call],
  [7, (model) => (model.use(drawOptions(model)), "use")],
  [6, (model) => (model.tryAcquire(drawOptions(model)), "tryAcquire")],
  [5, callWithin],
  [24, release],
  [2, discard],
  [1.5, releaseDirty],
  [2, releaseAgain],
  [0.5, meddle],
  [4, workWith],
  [8, (model) => end(model, "finish")],
  [1, (model) => end(model, "fail")],
  [1.5, abortSignal],
  [3, disturb],
  [2, changeMood],
  [0.7, resize],
  [0.7, swapStrategy],
  [1, addSocket],
  [0.7, warmUp],
  [8, (model) => advance(model, model.dice.below(6))],
  [2, (model) => advance(model, model.dice.below(60))],
  [0.3, (model) => advance(model, ROUND_MS)],
  [2, () => "nothing"],
];
const TOTAL = MOVES.reduce((sum, [weight]) => sum + weight, 0);

/** Draw one move that can be made, and make it. */
export function move(model: PoolModel): string | Promise<string> {
  for (;;) {
    let draw = model.dice.random() * TOTAL;
    for (const [weight, make] of MOVES) {
      if ((draw -= weight) >= 0) continue;
      const made = make(model);
      if (made !== undefined) return made;
      break;
    }
  }
}
