/**
 * Who gets the next one: plain values that a pool, an address table or a transfer is given.
 *
 * @module
 */
export { strategyByName } from "./by_name.ts";
export { random, type RandomOptions } from "./random.ts";
export { roundRobin } from "./round_robin.ts";
export {
  badPick,
  type Pick,
  type Picker,
  startStrategy,
  type StatefulStrategy,
  type Strategy,
} from "./strategy.ts";
