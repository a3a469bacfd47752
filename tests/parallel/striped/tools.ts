import {
  connectStriped,
  type ConnectStripedOptions,
  listenStriped,
  type ListenStripedOptions,
  type StripedListener,
  type StripedSocket,
} from "../../../src/parallel/striped/mod.ts";
import {
  type MemoryTransport,
  memoryTransport,
  type MemoryTransportOptions,
  VirtualClock,
} from "../../../src/testing/mod.ts";
import { drive } from "./model_tools.ts";
import { Weather } from "./weather.ts";

/** Both ends of a bundle, and what they stand on. */
export interface Bundled {
  readonly clock: VirtualClock;
  readonly network: MemoryTransport;
  /** What the connecting side's sockets go through. */
  readonly weather: Weather;
  readonly listener: StripedListener;
  readonly near: StripedSocket;
  readonly far: StripedSocket;
  /** What `onError` of both sides was told. */
  readonly told: { stage: string; error: Error }[];
}

/** A TCP address. */
export type Place = { hostname: string; port: number };

/** Run with a bundle in memory, of which nothing is left. */
export async function withBundle(
  options: Partial<ConnectStripedOptions & ListenStripedOptions>,
  run: (bundled: Bundled) => Promise<void>,
  networkOptions: MemoryTransportOptions = {},
): Promise<void> {
  const clock = new VirtualClock();
  const network = memoryTransport({ clock, ...networkOptions });
  const weather = new Weather(network);
  const told: Bundled["told"] = [];
  const onError: ConnectStripedOptions["onError"] = (error, { stage }) =>
    void told.push({ stage, error: error as Error });
  const common = { clock, onError, windowBytes: 2 ** 20, ...options };
  const listener = await listenStriped({ ...common, transport: network });
  const [near, far] = await drive(
    clock,
    Promise.all([
      connectStriped(listener.address as Place, {
        ...common,
        transport: weather.transport,
        strategy: options.strategy,
      }),
      listener.accept(),
    ]),
  );
  await clock.advance(0);
  try {
    await run({ clock, network, weather, listener, near, far, told });
  } finally {
    near.abort();
    far.abort();
    await drive(clock, listener.close());
    await clock.advance(2000);
  }
  if (network.openEnds !== 0) throw new Error(`${network.openEnds} ends were left open`);
  if (clock.pending !== 0) throw new Error(`${clock.pending} timers were left`);
}
