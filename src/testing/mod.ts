/**
 * What tests of networked code need: a network in memory, time that waits, and repeatable bad luck.
 *
 * On these stand models that use a strategy or a pool at random until a rule is broken, contracts for
 * sources and transports, and `property`, which runs them with many seeds and makes a failure short.
 *
 * Everything here is deterministic: the same seed and the same steps give the same run, in every
 * runtime.
 *
 * @example A connection, and a connect that gives up, without a kernel or a sleep
 * ```ts
 * import { memoryTransport, VirtualClock } from "@jackfield/jackfield/testing";
 *
 * const clock = new VirtualClock();
 * const network = memoryTransport({ clock });
 * const listener = await network.listen();
 * const near = await network.connect(listener.address);
 * const far = await listener.accept();
 * await near.write(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(16);
 * const count = await far.read(buffer);
 * if (count !== 5) throw new Error(`unexpected: ${count}`);
 *
 * let code = "";
 * network.connect({ hostname: "silent.test", port: 80 }, { timeoutMs: 30_000 })
 *   .catch((error) => code = error.code);
 * await clock.advance(30_000);
 * if (code !== "CONNECT_TIMEOUT") throw new Error(`unexpected: ${code}`);
 *
 * await Promise.all([near.close(), far.close(), listener.close()]);
 * if (network.openEnds !== 0) throw new Error("a connection was left open");
 * ```
 *
 * @module
 */
export {
  type MemoryFault,
  type MemoryFaults,
  type MemoryOperation,
  type MemoryTransport,
  memoryTransport,
  type MemoryTransportOptions,
  type RecordedFaults,
  recordedFaults,
  type ScriptedFault,
  scriptedFaults,
  seededFaults,
  type SeededFaultsOptions,
  seededRandom,
} from "../adapters/memory/mod.ts";
export type { ContractCase } from "./contract_case.ts";
export { type Dice, seededDice } from "./dice.ts";
export { addressLeaseContract, type LeaseHome } from "./lease_contract.ts";
export type { ModelledLease, ModelledPool, PoolMaterials } from "./modelled_pool.ts";
export { poolModel, type PoolModelOptions } from "./pool_model.ts";
export {
  property,
  type PropertyBody,
  PropertyError,
  type PropertyFacts,
  type PropertyOptions,
} from "./property.ts";
export type { MadeStep, PropertyRun } from "./property_run.ts";
export { strategyModel, type StrategyModelOptions } from "./strategy_model.ts";
export type { CandidateMaker } from "./strategy_place.ts";
export { transportContract, type TransportHome } from "./transport_contract.ts";
export { type RunAllOptions, VirtualClock, type VirtualClockOptions } from "./virtual_clock.ts";
export { type WatchedSource, watchedSource } from "./watched_source.ts";
export {
  type WatchedStrategy,
  watchedStrategy,
  type WatchedStrategyOptions,
} from "./watched_strategy.ts";
export {
  type WatchedTransport,
  watchedTransport,
  type WatchedTransportOptions,
} from "./watched_transport.ts";
