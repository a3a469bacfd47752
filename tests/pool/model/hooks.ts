import {
  type Clock,
  delay,
  type Socket,
  type SocketContext,
  type SocketPoolOptions,
} from "../../../src/core.ts";
import type { Dice } from "../../support/seeds.ts";
import type { Connection } from "./connection.ts";
import type { ModelNetwork } from "./network.ts";

/** What a hook of the user's does. */
type Course =
  | "now"
  | "soon"
  | "later"
  | "throw"
  | "fail"
  | "hang"
  | "deaf"
  | "late"
  | "busy"
  | "no";

const GOOD: readonly Course[] = ["now", "now", "soon", "soon", "later"];
const BAD: readonly Course[] = ["throw", "fail", "hang", "deaf", "late", "busy", "no"];

/** What the hooks are made of. */
export interface HookWorld {
  readonly dice: Dice;
  readonly clock: Clock;
  readonly network: ModelNetwork;
  /** How often a hook goes wrong, 0 to 1. */
  readonly badness: number;
  /** Milliseconds that a hook may take. */
  readonly limitMs: number;
  /** Told of each call of one. */
  readonly begun: (what: "prepare" | "check" | "reset") => void;
  /** Whether they are to be done with, for the run ends. */
  readonly isEnding: () => boolean;
  /** What must not happen has happened. */
  readonly fail: (what: string) => void;
}

type Hooks = Required<Pick<SocketPoolOptions<object | undefined>, "prepare" | "check" | "reset">>;

/** `prepare`, `check` and `reset` that succeed, fail, hang, ignore their signal or come late. */
export function moodyHooks(world: HookWorld): Hooks {
  const { network, fail } = world;
  const connectionOf = (socket: Socket) => {
    const found = network.connections.find((connection) => connection.socket === socket);
    if (found === undefined) fail("a hook was given a socket that the pool does not have");
    else if (found.leased) fail("a hook was given a socket that is leased");
    return found;
  };
  return {
    prepare(socket, { signal }) {
      world.begun("prepare");
      const connection = connectionOf(socket);
      if (connection === undefined) return undefined;
      if (++connection.prepared > 1) fail("a connection was prepared twice");
      if (connection.leases > 0) fail("a connection was prepared after its first lease");
      const session = connection.session = {};
      const course = drawFor(world, connection);
      return run(world, course === "no" ? "throw" : course, socket, signal, session);
    },
    check(socket, { signal, session }: SocketContext<object | undefined>) {
      world.begun("check");
      const connection = connectionOf(socket);
      if (session !== connection?.session) fail("check was given the session of another one");
      const course = drawFor(world, connection);
      return run(world, course, socket, signal, course !== "no");
    },
    reset(socket, { signal, session }: SocketContext<object | undefined>) {
      world.begun("reset");
      const connection = connectionOf(socket);
      if (session !== connection?.session) fail("reset was given the session of another one");
      const course = drawFor(world, connection);
      return run(world, course === "no" ? "throw" : course, socket, signal, undefined);
    },
  };
}

function drawFor(world: HookWorld, connection: Connection | undefined): Course {
  const { dice, badness, isEnding } = world;
  if (isEnding()) return "now";
  const isBad = dice.random() < badness;
  if (isBad && connection !== undefined) connection.condemned = true;
  return dice.oneOf(isBad ? BAD : GOOD);
}

function run<T>(
  { clock, dice, limitMs }: HookWorld,
  course: Course,
  socket: Socket,
  signal: AbortSignal,
  result: T,
): T | Promise<T> {
  switch (course) {
    case "now":
    case "no":
      return result;
    case "soon":
      return Promise.resolve(result);
    case "later":
      return delay(clock, 1 + dice.below(limitMs - 1)).then(() => result);
    case "throw":
      throw new Error("the hook threw");
    case "fail":
      return delay(clock, 1 + dice.below(3)).then(() => {
        throw new Error("the hook failed");
      });
    case "hang":
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    case "deaf":
      return new Promise(() => {});
    case "late":
      return delay(clock, limitMs + 1 + dice.below(20)).then(() => result);
    case "busy":
      socket.read(new Uint8Array(8)).catch(() => {}); // It says it is done, and is not.
      return result;
  }
}
