import {
  isJackfieldError,
  type Listener,
  type Socket,
  type TcpTarget,
  type Transport,
} from "../transport/mod.ts";
import type { ContractCase } from "./contract_case.ts";
import { within } from "./overdue.ts";

/** A transport, made for one case of {@linkcode transportContract}. */
export interface TransportHome {
  /** What is to be proved. */
  readonly transport: Transport;
  /** Listens and accepts, where the transport itself cannot. */
  readonly peer?: Transport;
  /** Called when the case is over. */
  close?(): void | Promise<void>;
}

/** So long a case may take: a pending promise is most often a broken rule. */
const CASE_LIMIT_MS = 10_000;

/**
 * What sockets and listeners of every transport keep, as cases for any test runner: for a transport
 * of your own, or one around another one. What its capabilities leave out must be refused.
 *
 * @param create Makes a fresh one for each case.
 *
 * @example
 * ```ts
 * import { memoryTransport, transportContract } from "@jackfield/jackfield/testing";
 *
 * for (const { name, run } of transportContract(() => ({ transport: memoryTransport() }))) {
 *   await run().catch((cause) => {
 *     throw new Error(name, { cause });
 *   });
 * }
 * ```
 */
export function transportContract(
  create: () => TransportHome | Promise<TransportHome>,
): readonly ContractCase[] {
  return Object.entries(CASES).map(([name, check]) => ({
    name,
    async run() {
      const home = await create();
      const scene = new Scene(home);
      try {
        await within(CASE_LIMIT_MS, check(scene));
      } finally {
        await scene.end();
        await home.close?.();
      }
    },
  }));
}

/** What a case has opened, to be ended with it. */
class Scene {
  readonly transport: Transport;
  #peer: Transport;
  #sockets: Socket[] = [];
  #listeners: Listener[] = [];

  constructor({ transport, peer = transport }: TransportHome) {
    this.transport = transport;
    this.#peer = peer;
  }

  async listen(): Promise<Listener> {
    const listener = await this.#peer.listen();
    this.#listeners.push(listener);
    return listener;
  }

  /** Both ends of a connection: the one that connected comes first. */
  async pair(): Promise<readonly [near: Socket, far: Socket]> {
    const listener = await this.listen();
    const both = [this.transport.connect(listener.address), listener.accept()] as const;
    for (const end of both) end.then((socket) => this.#sockets.push(socket), () => {});
    return await Promise.all(both);
  }

  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.abort();
    for (const listener of this.#listeners) await listener.close();
  }
}

const CASES: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "connects, and both ends know both addresses": async (scene) => {
    const [near, far] = await scene.pair();
    same("the port that was connected to", near.remoteAddress.port, far.localAddress.port);
    same("the port that was connected from", far.remoteAddress.port, near.localAddress.port);
    same("the state", near.state, "open");
  },

  "carries bytes both ways, whole and in order": async (scene) => {
    for (const [from, to] of [await scene.pair(), (await scene.pair()).toReversed()]) {
      const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 31) >> 3);
      const received = readAll(to!);
      same("the count of a write", await from!.write(bytes), bytes.byteLength);
      await from!.closeWrite();
      same("what arrived", (await received).join(), bytes.join());
    }
  },

  "closes each direction on its own, and gives the end again and again": async (scene) => {
    const [near, far] = await scene.pair();
    await near.write(bytesOf("question"));
    await near.closeWrite();
    same("what was sent", textOf(await readAll(far)), "question");
    for (let times = 0; times < 2; times++) {
      same("a read after the end", await far.read(new Uint8Array(8)), null);
    }
    await rejects("a write after closeWrite", near.write(bytesOf("x")), "SOCKET_CLOSED");
    await far.write(bytesOf("answer"));
    await far.closeWrite();
    same("what was answered", textOf(await readAll(near)), "answer");
    await Promise.all([near.closed, far.closed]);
    same("the states", `${near.state} ${far.state}`, "closed closed");
  },

  "has one reader at a time": async (scene) => {
    const [near, far] = await scene.pair();
    const first = near.read(new Uint8Array(4));
    await rejects("a second read", near.read(new Uint8Array(4)), "SOCKET_BUSY");
    await far.write(bytesOf("ok"));
    same("the first read", await first, 2);
  },

  "sends what was written before it closes, and close is one": async (scene) => {
    const [near, far] = await scene.pair();
    const received = readAll(far);
    void near.write(new Uint8Array(200_000)).catch(() => {});
    const closing = near.close();
    same("a second close", near.close(), closing);
    same("what arrived", (await received).byteLength, 200_000);
    await closing;
  },

  "rejects what is pending and what follows when it is closed": async (scene) => {
    const [near] = await scene.pair();
    const reading = rejects("the pending read", near.read(new Uint8Array(1)), "SOCKET_CLOSED");
    await near.close();
    await reading;
    await rejects("a read after close", near.read(new Uint8Array(1)), "SOCKET_CLOSED");
    await rejects("a write after close", near.write(bytesOf("x")), "SOCKET_CLOSED");
    await near.closed;
  },

  "rejects with the reason of abort": async (scene) => {
    const [near] = await scene.pair();
    const reason = new Error("enough");
    const reading = rejects("the pending read", near.read(new Uint8Array(1)), reason);
    near.abort(reason);
    near.abort(new Error("the first one counts"));
    await reading;
    await rejects("a write after abort", near.write(bytesOf("x")), reason);
    same("the state", near.state, "closed");
  },

  "says that the far end has reset the connection": async (scene) => {
    const [near, far] = await scene.pair();
    const reading = near.read(new Uint8Array(1)).then((count) => count, codeOf);
    far.abort();
    // Without a reset an abort is an end for the other side.
    const expected = scene.transport.capabilities.reset ? "SOCKET_RESET" : null;
    same("what a pending read learns", await reading, expected);
  },

  "says that a connection was refused, and lets go of it once": async (scene) => {
    const listener = await scene.listen();
    await listener.close();
    let released = 0;
    const onReleased = () => void released++;
    const connecting = scene.transport.connect(listener.address, { onReleased });
    await rejects("a connect to nobody", connecting, "CONNECT_FAILED");
    same("how often onReleased was called", released, 1);
  },

  "heeds the signal until the connection stands": async (scene) => {
    const listener = await scene.listen();
    const stop = new AbortController();
    const reason = new Error("gave up");
    stop.abort(reason);
    const connecting = scene.transport.connect(listener.address, { signal: stop.signal });
    await rejects("a connect that was given up", connecting, reason);
    const later = new AbortController();
    const near = await scene.transport.connect(listener.address, { signal: later.signal });
    later.abort();
    same("the state after a late abort", near.state, "open");
    near.abort();
  },

  "tells who accepts that the listener was closed": async (scene) => {
    const listener = await scene.listen();
    const accepting = rejects("a pending accept", listener.accept(), "LISTENER_CLOSED");
    const iterating = (async () => {
      for await (const socket of listener) socket.abort();
    })();
    await listener.close();
    await Promise.all([accepting, iterating]);
    await rejects("an accept after close", listener.accept(), "LISTENER_CLOSED");
  },

  "connects from the address that was asked for, if it can": async (scene) => {
    if (!scene.transport.capabilities.localAddress) return;
    const listener = await scene.listen();
    const { hostname } = listener.address;
    const near = await scene.transport.connect(listener.address, { localAddress: hostname });
    same("the local address", near.localAddress.hostname, hostname);
    near.abort();
  },

  "refuses what it cannot do instead of ignoring it": async ({ transport }) => {
    const target: TcpTarget = { hostname: "127.0.0.1", port: 1 };
    const { unix, tls, localAddress, keepAlive, noDelay, transferable } = transport.capabilities;
    const connects: readonly [boolean, () => Promise<Socket>][] = [
      [unix, () => transport.connect({ path: "/nowhere" })],
      [tls, () => transport.connect({ ...target, tls: true })],
      [localAddress, () => transport.connect(target, { localAddress: "127.0.0.1" })],
      [keepAlive, () => transport.connect(target, { keepAlive: true })],
      [noDelay, () => transport.connect(target, { noDelay: false })],
      [transferable, () => transport.connect(target, { transferable: true })],
    ];
    for (const [isAble, connect] of connects) {
      if (!isAble) await rejects("what it cannot do", connect(), "UNSUPPORTED");
    }
  },

  "refuses a port that is none": async ({ transport }) => {
    for (const port of [0, 65_536, 1.5]) {
      const error = await transport.connect({ hostname: "127.0.0.1", port }).then(
        () => undefined,
        (error) => error,
      );
      if (!(error instanceof RangeError || error instanceof TypeError)) {
        fail(`port ${port} gives ${error}: expected a RangeError`);
      }
    }
  },
};

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

async function readAll(socket: Socket): Promise<Uint8Array> {
  const buffer = new Uint8Array(10_000);
  const all: number[] = [];
  for (let count; (count = await socket.read(buffer)) !== null;) {
    for (let at = 0; at < count; at++) all.push(buffer[at]!);
  }
  return Uint8Array.from(all);
}

function codeOf(error: unknown): unknown {
  return isJackfieldError(error) ? error.code : error;
}

async function rejects(what: string, promise: Promise<unknown>, expected: unknown): Promise<void> {
  const got = await promise.then((value) => `the value ${value}`, codeOf);
  same(`what ${what} ends with`, got, expected);
}

function same(what: string, got: unknown, expected: unknown): void {
  if (Object.is(got, expected)) return;
  // Long values would hide the rest.
  fail(`${what} is ${String(got).slice(0, 100)}: expected ${String(expected).slice(0, 100)}`);
}

function fail(why: string): never {
  throw new Error(`A transport breaks the contract: ${why}`);
}
