// The moves of the model-based test on the kernel's own sockets, with peers on loopback that refuse,
// stall, reset, half-close and send what nobody asked for. Time is real here, so that a seed gives
// the same moves, but not the same run.
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import { isJackfieldError, type Socket, SocketPool, type Transport } from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { type Dice, withSeeds } from "../support/seeds.ts";
import { silentPort } from "../transport/silent_host.ts";
import { countDescriptors, descriptorsBack, sleep } from "../transport/tools.ts";
import { NOISE, RealPeer } from "./model/real_peer.ts";
import { drawStrategy } from "./model/settings.ts";

const RUN_MS = 2000;
const CALLERS = 16;
/** The timers of a machine with much to do may be late. */
const LATE_MS = 2000;
const EXPECTED = new Set([
  "POOL_TIMEOUT",
  "POOL_QUEUE_FULL",
  "POOL_PREPARE_FAILED",
  "CONNECT_FAILED",
  "CONNECT_TIMEOUT",
]);

/** Counts what connects of a pool hold, given-up ones included. */
class Count {
  flying = 0;
  connects = 0;
  most = 0;
  readonly sockets: Set<Socket> = new Set();

  /** The same transport, counted; `connecting` is told of each connect before it begins. */
  transport(inner: Transport, connecting: () => void): Transport {
    const connect: Transport["connect"] = async (target, options = {}) => {
      connecting();
      this.flying++;
      this.connects++;
      const onReleased = () => {
        this.flying--;
        options.onReleased?.();
      };
      const socket = await inner.connect(target, { ...options, onReleased });
      this.flying--;
      this.sockets.add(socket);
      return socket;
    };
    const { name, capabilities, host } = inner;
    return { name, capabilities, host, connect, listen: (options) => inner.listen(options) };
  }

  /** The open socket that has this address, as an object. */
  find(localAddress: object): Socket | undefined {
    for (const socket of this.sockets) {
      if (socket.localAddress === localAddress && socket.state === "open") return socket;
    }
    return undefined;
  }

  get held(): number {
    for (const socket of this.sockets) {
      if (socket.state === "closed" || socket.state === "gone") this.sockets.delete(socket);
    }
    this.most = Math.max(this.most, this.flying + this.sockets.size);
    return this.flying + this.sockets.size;
  }
}

/** Read so many bytes, or fail at the end of the stream. */
async function readToken(socket: Socket, length: number): Promise<Uint8Array> {
  const token = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const count = await socket.read(token.subarray(filled));
    if (count === null) throw new Error("the peer has ended");
    filled += count;
  }
  return token;
}

/** Ask the peer to say something back; it is `false` when it said something else. */
async function exchange(socket: Socket, word: number, limitMs: number): Promise<boolean> {
  const token = new Uint8Array(8).fill(word % 200);
  token[0] = (word >> 8) % 200;
  const timer = setTimeout(() => socket.abort(new Error("no answer")), limitMs);
  try {
    await socket.write(token);
    const answer = await readToken(socket, token.length);
    if (answer.includes(NOISE)) throw new Error("the peer talks of its own accord");
    return answer.every((byte, at) => byte === token[at]);
  } finally {
    clearTimeout(timer);
  }
}

class Run {
  readonly dice: Dice;
  readonly count = new Count();
  readonly pool: SocketPool<number>;
  readonly peers: readonly RealPeer[];
  readonly failures: string[] = [];
  readonly signals: AbortController[] = [new AbortController(), new AbortController()];
  isOver = false;
  leases = 0;
  words = 0;
  exchanges = 0;
  codes: Map<string, number> = new Map();
  #leased = new Set<object>();
  #prepared = new Set<Socket>();
  /** More may stand than `maxSize` after it became less. */
  #bound = 5;

  constructor(dice: Dice, peers: readonly RealPeer[], silent: number | undefined) {
    this.dice = dice;
    this.peers = peers;
    const own = peers.map(({ hostname, port }) => ({ hostname, port }));
    // A connect that gets no answer; in Bun it holds its descriptor until the host is gone.
    const stuck = silent === undefined ? [] : [
      { hostname: "127.0.0.1", port: silent, weight: 0.1, maxSize: 1 },
    ];
    this.pool = new SocketPool<number>({
      transport: this.count.transport(systemTransport(), () => this.#connecting()),
      target: [...own, ...stuck],
      maxSize: 5,
      minIdle: 1,
      maxWaiting: 12,
      connectTimeoutMs: 100,
      prepareTimeoutMs: 100,
      checkTimeoutMs: 50,
      checkAfterMs: 50,
      idleTimeoutMs: 200,
      maxLifetimeMs: 1000,
      backoffMs: 5,
      maxBackoffMs: 40,
      breakAfter: 4,
      random: () => dice.random(),
      prepare: async (socket) => {
        if (this.#prepared.has(socket)) this.failures.push("a connection was prepared twice");
        this.#prepared.add(socket);
        if (!await exchange(socket, ++this.words, 90)) throw new Error("not what was sent");
        return socket.localAddress.port;
      },
      check: (socket) => exchange(socket, ++this.words, 40),
      observer: {
        leased: ({ localAddress }) => {
          if (this.#leased.has(localAddress)) this.failures.push("one socket, two leases");
          this.#leased.add(localAddress);
          const socket = this.count.find(localAddress);
          if (socket === undefined) return; // Its end is known, and told of within the same turn.
          if (socket.isBusy) this.failures.push("leased when busy");
          if (socket.hasUnread) this.failures.push("leased with something unread");
        },
        released: ({ localAddress }) => {
          if (!this.#leased.delete(localAddress)) this.failures.push("released, and not leased");
        },
      },
    });
  }

  #connecting(): void {
    const { held } = this.count;
    if (held >= (this.pool?.maxSize ?? 5)) this.failures.push(`a connect beside ${held} sockets`);
  }

  /** One that asks for sockets again and again. */
  async caller(number: number): Promise<void> {
    const { dice, pool } = this;
    while (!this.isOver) {
      const timeoutMs = 20 + dice.below(200);
      const signal = number % 3 === 0 ? dice.oneOf(this.signals).signal : undefined;
      const tenant = number % 2 === 0 ? "even" : "odd";
      const sinceMs = performance.now();
      try {
        if (number % 4 === 1) {
          const work = (lease: { socket: Socket }) => this.#work(lease.socket);
          await pool.use(work, { timeoutMs, tenant, key: number });
        } else await this.#lease({ timeoutMs, signal, tenant, priority: number % 5, key: number });
      } catch (error) {
        const tookMs = performance.now() - sinceMs;
        if (tookMs > timeoutMs + 150 + LATE_MS) this.failures.push(`settled after ${tookMs} ms`);
        this.#note(error, signal);
        await sleep(1 + dice.below(10));
      }
    }
  }

  async #lease(options: Parameters<SocketPool<number>["acquire"]>[0]): Promise<void> {
    const { dice, pool } = this;
    const lease = dice.below(4) === 0 ? pool.tryAcquire(options) : await pool.acquire(options);
    if (lease === undefined) return sleep(1);
    const { socket } = lease;
    if (lease.session !== socket.localAddress.port) this.failures.push("the session of another");
    try {
      await this.#work(socket);
      if (dice.below(20) === 0) socket.read(new Uint8Array(8)).catch(() => {}); // Left at it.
      if (dice.below(20) === 0) lease.discard();
      lease.release();
      if (dice.below(5) === 0) lease.discard(); // Too late.
    } catch (error) {
      lease.discard();
      throw error;
    }
  }

  async #work(socket: Socket): Promise<void> {
    this.leases++;
    if (socket.state === "connecting") this.failures.push("leased a socket that is connecting");
    const isRight = await exchange(socket, ++this.words, 100);
    if (!isRight) this.failures.push("bytes of another task");
    this.exchanges++;
    if (this.dice.below(4) === 0) await sleep(this.dice.below(10));
  }

  #note(error: unknown, signal: AbortSignal | undefined): void {
    if (signal?.aborted && error === signal.reason) return;
    const code = isJackfieldError(error) ? error.code : "none";
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    if (code.startsWith("POOL_") && !EXPECTED.has(code)) this.failures.push(`refused: ${error}`);
  }

  /** Who makes trouble, and looks at the pool after each move. */
  async trouble(): Promise<void> {
    const { dice } = this;
    const endMs = performance.now() + RUN_MS;
    while (performance.now() < endMs && this.failures.length === 0) {
      const peer = dice.oneOf(this.peers);
      const draw = dice.below(20);
      if (draw < 8) peer.disturb(dice);
      else if (draw < 10) peer.mood = dice.oneOf(["echo", "stall", "reset", "hang up"] as const);
      else if (draw < 14) peer.mood = "echo";
      else if (draw < 16) await (peer.isListening ? peer.refuse() : peer.listenAgain());
      else if (draw < 17) this.pool.resize(1 + dice.below(7));
      else if (draw < 18) this.pool.strategy = drawStrategy(dice);
      else if (draw < 19) {
        this.signals.shift()!.abort(new Error("gave up"));
        this.signals.push(new AbortController());
      }
      await sleep(1 + dice.below(12));
      if (!peer.isListening && dice.below(3) === 0) await peer.listenAgain();
      this.look();
    }
    this.isOver = true;
  }

  /** What must hold at any moment. */
  look(): void {
    const { pool, failures } = this;
    const { size, idle, leased, connecting, checking, closing } = pool.stats();
    this.#bound = Math.max(pool.maxSize, Math.min(this.#bound, size));
    const { held } = this.count;
    if (size > this.#bound) failures.push(`${size} sockets, more than maxSize`);
    if (held > size) failures.push(`${held} descriptors, and ${size} are known`);
    if (size !== idle + leased + connecting + checking + closing) failures.push("no sum");
    if (leased !== this.#leased.size) failures.push("leases that the observer does not know");
  }
}

test("SocketPool, real sockets: keeps its rules with peers that refuse, stall and reset (P2, P3)", async () => {
  const before = countDescriptors();
  await withSeeds([1], async (dice) => {
    const peers = [
      await RealPeer.start(systemTransport()),
      await RealPeer.start(systemTransport()),
    ];
    const silent = process.platform === "linux" ? await silentPort() : undefined;
    const run = new Run(dice, peers, silent?.port);
    const callers = Array.from({ length: CALLERS }, (_, number) => run.caller(number));
    await Promise.all([run.trouble(), ...callers]);
    await silent?.end();
    if (dice.below(2) === 0) await run.pool.close();
    else {
      run.pool.abort();
      await run.pool.close();
    }
    for (const peer of peers) await peer.end();
    const { size, waiting } = run.pool.stats();
    assertEquals(run.failures, []);
    assertEquals([size, waiting, run.count.held], [0, 0, 0]);
    assert(run.exchanges > 50, `only ${run.exchanges} exchanges`);
    if (process.env.JACKFIELD_SEED !== undefined) {
      console.log(run.leases, run.exchanges, run.count.connects, run.count.most, run.codes);
    }
  });
  await descriptorsBack(before);
});
