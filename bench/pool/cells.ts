import type { AcquireOptions, PoolObserver } from "../../src/core.ts";
import { genericPoolSide } from "./generic_pool_side.ts";
import { newSocket } from "./idle_sockets.ts";
import { type JackfieldOptions, jackfieldSide } from "./jackfield_side.ts";
import { lightningPoolSide } from "./lightning_pool_side.ts";
import type { PoolSide, Setup } from "./side.ts";
import { stackSide } from "./stack_side.ts";
import { tarnSide } from "./tarn_side.ts";

/** What is done with a contender. */
export type Load = "awaited" | "synchronous" | "use" | "contended";

/** A contender in one cell. */
export interface Contender {
  /** Its name in the table. */
  readonly name: string;
  /** Make it, with its sockets idle. */
  make(): Promise<PoolSide>;
}

/** One load, and who carries it. The first one is ours. */
export interface Cell {
  /** What is done. */
  readonly name: string;
  /** How. */
  readonly load: Load;
  /** Who does it. */
  readonly contenders: readonly Contender[];
  /** Whose figures from another cell, of the same round, stand beside ours. */
  readonly beside?: Beside;
}

/** Figures that one cell takes from another one. */
export interface Beside {
  /** The other cell. */
  readonly cell: string;
  /** The contenders there. */
  readonly names: readonly string[];
  /** What tells them apart in the table. */
  readonly note: string;
}

/** Ours, in every table. */
export const JACKFIELD = "Jackfield";
/** What stands for no pool at all. */
export const STACK = "bare stack";

/** The loads that others are compared with. */
export const AWAITED = "acquire + release, awaited";
export const SYNCHRONOUS = "acquire + release, synchronous";
export const USE = "use(fn)";
export const CONTENDED = "1,000 tasks on 10 sockets";

/** How many sockets everybody has. */
export const SOCKETS = 10;
/** How many tasks want them in a contended cell. */
export const TASKS = 1000;

/** How a contender is made. */
export type Maker = (setup: Setup) => Promise<PoolSide>;

/** Those that others have built. */
export const LIBRARIES: Readonly<Record<string, Maker>> = {
  "generic-pool": genericPoolSide,
  "lightning-pool": lightningPoolSide,
  tarn: tarnSide,
};

/** Everybody, in the order of the tables. */
export const MAKERS: ReadonlyMap<string, Maker> = new Map<string, Maker>([
  [JACKFIELD, (setup) => jackfieldSide(setup)],
  ...Object.entries(LIBRARIES),
  [STACK, stackSide],
]);

const setup: Setup = { sockets: SOCKETS, connect: () => Promise.resolve(newSocket()) };
const limited: Setup = { ...setup, timeoutMs: 10_000 };

/**
 * The loads that use the runtime's async context. They have a process of their own: in Node one of
 * them makes every later await there more than twice as dear, for everybody.
 */
export function contextCells(): readonly Cell[] {
  return [{ name: USE, load: "use", contenders: [ours(), generic("generic-pool")] }];
}

/** All other loads. */
export function cells(): readonly Cell[] {
  const all = [ours(), ...libraries(setup), stack()];
  const allLimited = [ours({ acquire: { timeoutMs: 10_000 } }), ...libraries(limited)];
  const { signal } = new AbortController();
  const withSignal = ours({ acquire: { signal } });
  const withOther = ours({ acquire: { priority: 1, tenant: "a" } as AcquireOptions });
  const watched = ours({ pool: { observer: newObserver() } as JackfieldOptions["pool"] });
  const pools = Object.keys(LIBRARIES);
  const promise: Beside = { cell: AWAITED, names: [...pools, STACK], note: "awaited" };
  const plain = (cell: string): Beside => ({
    cell,
    names: [JACKFIELD, "generic-pool"],
    note: "without",
  });
  return [
    { name: AWAITED, load: "awaited", contenders: all },
    { name: SYNCHRONOUS, load: "synchronous", contenders: [ours(), stack()], beside: promise },
    // Ours has its place here, and its figures from the other process.
    { name: USE, load: "use", contenders: [generic("generic-pool, no context")] },
    { name: CONTENDED, load: "contended", contenders: all },
    { name: "timeout given, awaited", load: "awaited", contenders: allLimited },
    { name: "timeout given, 1,000 on 10", load: "contended", contenders: allLimited },
    ...alone("signal given", withSignal, plain),
    {
      name: "priority, tenant, 1,000 on 10",
      load: "contended",
      contenders: [withOther],
      beside: plain(CONTENDED),
    },
    ...alone("observer", watched, plain),
    {
      name: "observer, synchronous",
      load: "synchronous",
      contenders: [watched],
      beside: { cell: SYNCHRONOUS, names: [JACKFIELD], note: "without" },
    },
  ];
}

/** What only ours has, beside what it costs without. */
function alone(what: string, contender: Contender, plain: (cell: string) => Beside): Cell[] {
  const contenders = [contender];
  return [
    { name: `${what}, awaited`, load: "awaited", contenders, beside: plain(AWAITED) },
    { name: `${what}, 1,000 on 10`, load: "contended", contenders, beside: plain(CONTENDED) },
  ];
}

function ours(options?: JackfieldOptions): Contender {
  return { name: JACKFIELD, make: () => jackfieldSide(setup, options) };
}

function generic(name: string): Contender {
  return { name, make: () => genericPoolSide(setup) };
}

function libraries(setup: Setup): Contender[] {
  return Object.entries(LIBRARIES).map(([name, make]) => ({ name, make: () => make(setup) }));
}

function stack(): Contender {
  return { name: STACK, make: () => stackSide(setup) };
}

/** Counts what is told, as a metric would. */
function newObserver(): PoolObserver {
  let told = 0;
  const count = () => {
    told++;
  };
  return { leased: count, released: count, waiting: count };
}
