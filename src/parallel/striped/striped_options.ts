import { roundRobin, type Strategy } from "../../strategy/mod.ts";
import { type Clock, type OnError, systemClock } from "../../transport/mod.ts";
import type { UnitRequest } from "./free_members.ts";
import { LARGEST_UNIT_BYTES } from "./frame.ts";
import { LEAST_UNIT_BYTES } from "./hello.ts";
import type { BundleMember } from "./member.ts";

/** What both ends of a bundle are told. */
export interface StripedOptions {
  /**
   * The longest data unit that is sent, in bytes: 1024 to 1,048,576. Fewer bytes are sent as a shorter
   * unit at once.
   *
   * @default {262_144}
   */
  readonly unitBytes?: number;
  /**
   * How many bytes may wait for the reader at this end, and as many for the acknowledgement of the
   * other one: 1,048,576 or more. Long ways that are fast need more: the bytes of one trip and back.
   *
   * @default {16_777_216}
   */
  readonly windowBytes?: number;
  /**
   * Milliseconds in which nothing moves on a socket until what is on it is sent on another one too.
   *
   * @default {1000}
   */
  readonly resendAfterMs?: number;
  /**
   * Milliseconds in which nothing moves on a socket until it is given up; `Infinity` for no limit.
   *
   * @default {10_000}
   */
  readonly stallTimeoutMs?: number;
  /**
   * Milliseconds without any socket until the bundle is given up; `Infinity` for no limit.
   *
   * @default {30_000}
   */
  readonly lossTimeoutMs?: number;
  /**
   * Milliseconds for the handshake on a connection that stands.
   *
   * @default {10_000}
   */
  readonly handshakeTimeoutMs?: number;
  /**
   * Chooses the socket of each unit among those that can take one.
   *
   * @default {roundRobin()}
   */
  readonly strategy?: Strategy<BundleMember, UnitRequest>;
  /** Told of sockets that were lost, connects that failed and handshakes that were refused. */
  readonly onError?: OnError;
  /**
   * Measures time.
   *
   * @default {systemClock}
   */
  readonly clock?: Clock;
}

/** The same, complete. */
export type StripedSettings = Required<Omit<StripedOptions, "onError">> & {
  readonly onError: OnError | undefined;
};

/** Fill in the defaults and check the values. */
export function stripedSettings(options: StripedOptions): StripedSettings {
  const settings: StripedSettings = {
    unitBytes: options.unitBytes ?? 256 * 1024,
    windowBytes: options.windowBytes ?? 16 * 2 ** 20,
    resendAfterMs: options.resendAfterMs ?? 1000,
    stallTimeoutMs: options.stallTimeoutMs ?? 10_000,
    lossTimeoutMs: options.lossTimeoutMs ?? 30_000,
    handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
    strategy: options.strategy ?? roundRobin(),
    onError: options.onError,
    clock: options.clock ?? systemClock,
  };
  need(settings, "unitBytes", LEAST_UNIT_BYTES, LARGEST_UNIT_BYTES);
  need(settings, "windowBytes", LARGEST_UNIT_BYTES, Number.MAX_SAFE_INTEGER);
  needTime(settings, "resendAfterMs");
  needTime(settings, "stallTimeoutMs");
  needTime(settings, "lossTimeoutMs");
  needTime(settings, "handshakeTimeoutMs");
  return settings;
}

/** Throw unless an option is a whole number within bounds. */
export function need<Name extends string>(
  values: Readonly<Record<Name, number>>,
  name: Name,
  least: number,
  most: number,
): void {
  const value = values[name];
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const bound = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
  throw new RangeError(`Cannot use ${name} "${value}": expected an integer, ${bound}`);
}

/** Throw unless an option is a time limit. */
export function needTime<Name extends string>(
  values: Readonly<Record<Name, number>>,
  name: Name,
): void {
  if (values[name] > 0) return;
  throw new RangeError(`Cannot use ${name} "${values[name]}": expected more than 0 milliseconds`);
}
