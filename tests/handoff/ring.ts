// A busy connection that goes from owner to owner, while both directions carry data.
import { createHash } from "node:crypto";
import { HandoffChannel, type Socket, type StartedOwner, type Transport } from "../../src/core.ts";
import type { Descriptors } from "../../src/core.ts";
import type { Errand, HopReport } from "../fixtures/handoff_owner.ts";
import { pattern } from "../transport/tools.ts";

/** The script that the owners run. */
export const OWNER_URL: URL = new URL("../fixtures/handoff_owner.ts", import.meta.url);

/** How the ring is made. */
export interface RingOptions {
  /** Makes the connection. */
  readonly transport: Transport;
  /** The owners, in the order of the ring. */
  readonly owners: readonly StartedOwner[];
  /** For threads. */
  readonly descriptors?: Descriptors;
  /** How often the connection changes its owner. */
  readonly handovers: number;
  /** How the connection is made. */
  readonly transferable: boolean;
}

/** What came of it. */
export interface RingResult {
  /** Digests of what was sent and of what came, in both directions. */
  readonly up: { readonly sent: string; readonly received: string; readonly bytes: number };
  /** The same towards the client. */
  readonly down: { readonly sent: string; readonly received: string; readonly bytes: number };
}

const PIECE = 1500;

/** Hand a connection round. */
export async function handRound(options: RingOptions): Promise<RingResult> {
  const { transport, owners, descriptors, handovers, transferable } = options;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  let arrived: ((back: { socket: Socket; data: unknown }) => void) | undefined;
  const channels = owners.map((owner) =>
    new HandoffChannel(owner, {
      descriptors,
      onSocket: (socket, data) => arrived!({ socket, data }),
      onMessage: (message) => {
        if ((message as { error?: string }).error) {
          failure.reject(new Error(`an owner says: ${(message as { error: string }).error}`));
        }
      },
      onError: (error) => failure.reject(error),
    })
  );
  const listener = await transport.listen({ transferable });
  const near = await transport.connect(listener.address);
  let socket = await listener.accept();
  const client = startClient(near);
  const up = createHash("sha256");
  let upBytes = 0;
  let downBytes = 0;
  for (let hop = 0; hop < handovers; hop += 2) {
    const back = new Promise<{ socket: Socket; data: unknown }>((resolve) => arrived = resolve);
    const count = 1 + (hop * 7919) % 6000;
    const errand: Errand = {
      kind: "hop",
      from: downBytes,
      count,
      most: 1 + (hop * 104_729) % 20_000,
      readFirst: hop % 3 !== 0,
    };
    const sent = channels[(hop / 2) % channels.length]!.send(socket, errand);
    const { socket: next, data } = await Promise.race([
      sent.then(() => back),
      failure.promise,
    ]);
    const { read, wrote } = data as HopReport;
    up.update(read);
    upBytes += read.byteLength;
    downBytes += wrote;
    socket = next;
  }
  client.stop();
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) break;
    up.update(buffer.subarray(0, count));
    upBytes += count;
  }
  await socket.close();
  const { sent, received } = await client.done;
  await listener.close();
  return {
    up: { sent: sent.digest, received: up.digest("hex"), bytes: upBytes },
    down: {
      sent: createHash("sha256").update(pattern(downBytes, 7)).digest("hex"),
      received,
      bytes: downBytes,
    },
  };
}

/** Writes without end until it is stopped, and digests what comes. */
function startClient(near: Socket): {
  stop(): void;
  done: Promise<{ sent: { digest: string }; received: string }>;
} {
  let going = true;
  const write = async () => {
    const hash = createHash("sha256");
    const bytes = pattern(PIECE * 64, 3);
    for (let at = 0; going; at = (at + 1) % 64) {
      const piece = bytes.subarray(at * PIECE, (at + 1) * PIECE);
      hash.update(piece);
      await near.write(piece);
      // A client in the same thread must leave the others their turn.
      if (at % 4 === 3) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await near.closeWrite();
    return { digest: hash.digest("hex") };
  };
  const read = async () => {
    const hash = createHash("sha256");
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await near.read(buffer);
      if (count === null) return hash.digest("hex");
      hash.update(buffer.subarray(0, count));
    }
  };
  const done = Promise.all([write(), read()]).then(async ([sent, received]) => {
    await near.close();
    return { sent, received };
  });
  return { stop: () => going = false, done };
}
