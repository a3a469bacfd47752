/**
 * Who gets the next one: plain values that a pool, an address table or a transfer is given.
 *
 * @module
 */
export { strategyByName } from "./by_name.ts";
export type {
  CandidateDecision,
  Decision,
  DecisionPlace,
  Facts,
  FullDecision,
  PickDecision,
  StartDecision,
} from "./decision.ts";
export { leastBusy } from "./least_busy.ts";
export type { Loaded } from "./loaded.ts";
export { powerOfTwoChoices } from "./power_of_two_choices.ts";
export { random, type RandomOptions } from "./random.ts";
export { recorded, type RecordedOptions } from "./recorded.ts";
export {
  type Replay,
  replay,
  type ReplayCandidate,
  type ReplayedCandidate,
  type ReplayedPick,
} from "./replay.ts";
export { Rotation, type RotationNode } from "./rotation.ts";
export { roundRobin } from "./round_robin.ts";
export { sticky, type StickyOptions } from "./sticky.ts";
export {
  badPick,
  type Pick,
  type Picker,
  startStrategy,
  type StatefulStrategy,
  type Strategy,
} from "./strategy.ts";
export { weighted } from "./weighted.ts";
