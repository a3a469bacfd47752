// What the workerd adapter must do, run inside workerd against servers of main.ts.
import { type JackfieldError, type Socket, SocketPool } from "../../src/core.ts";
import { workerdTransport } from "../../src/adapters/workerd/mod.ts";

/** Where main.ts listens. */
export interface Ports {
  /** Sends back what comes. */
  readonly echo: number;
  /** The same, on `::1`. */
  readonly echo6: number;
  /** The same, with TLS. */
  readonly secure: number;
  /** Answers the first bytes with a reset. */
  readonly reset: number;
  /** Reads nothing. */
  readonly deaf: number;
  /** Sends its greeting and the end at once, then reads. */
  readonly greeting: number;
  /** Nobody listens. */
  readonly closed: number;
  /** Never answers a connect. */
  readonly silent: number;
}

const hostname = "127.0.0.1";
const transport = workerdTransport();
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function check(holds: boolean, what: unknown): asserts holds {
  if (!holds) throw new Error(`does not hold: ${String(what)}`);
}

function same(actual: unknown, expected: unknown): void {
  const [is, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== wanted) throw new Error(`got ${is}, expected ${wanted}`);
}

async function rejection(promise: PromiseLike<unknown>): Promise<JackfieldError> {
  try {
    await promise;
  } catch (error) {
    return error as JackfieldError;
  }
  throw new Error("expected a rejection");
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function readAll(socket: Socket, chunkBytes = 64 * 1024): Promise<Uint8Array> {
  const parts: number[][] = [];
  const buffer = new Uint8Array(chunkBytes);
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return new Uint8Array(parts.flat());
    parts.push([...buffer.subarray(0, count)]);
  }
}

async function readText(socket: Socket, chunkBytes?: number): Promise<string> {
  return new TextDecoder().decode(await readAll(socket, chunkBytes));
}

/** Send a text and its end, and see it come back. */
async function talk(socket: Socket, text = "hello"): Promise<void> {
  same(await socket.write(encode(text)), text.length);
  await socket.closeWrite();
  same(await readText(socket), text);
  await socket.closed;
  same(socket.state, "closed");
}

/** The cases, by name. */
export const cases: Readonly<Record<string, (ports: Ports) => Promise<void>>> = {
  async "lends one connection to two tasks of a pool"({ echo: port }) {
    const pool = new SocketPool({ transport, target: { hostname, port }, maxSize: 1 });
    const used: Socket[] = [];
    const task = (text: string) =>
      pool.use(async ({ socket }) => {
        used.push(socket);
        await socket.write(encode(text));
        const buffer = new Uint8Array(16);
        const count = await socket.read(buffer);
        same(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), text);
      });
    await Promise.all([task("first"), task("second")]);
    check(used.length === 2 && used[0] === used[1], "two tasks, one socket");
    await pool.close();
  },

  "watches an idle connection: bytes, the end, a reset, and what comes to the next reader": async (
    { echo, greeting, reset },
  ) => {
    const socket = await transport.connect({ hostname, port: echo });
    for (const length of [5, 5000]) {
      const told = Promise.withResolvers<void>();
      socket.watch(told.resolve);
      same(socket.isBusy, false);
      const sent = "x".repeat(length);
      await socket.write(encode(sent));
      await told.promise;
      same([socket.hasUnread, socket.state, socket.isBusy], [true, "open", false]);
      let got = 0;
      while (got < length) got += (await socket.read(new Uint8Array(100_000)))!;
      same(got, length);
    }
    const ended = Promise.withResolvers<void>();
    socket.watch(ended.resolve);
    await socket.closeWrite();
    await ended.promise;
    await socket.closed;

    const ending = await transport.connect({ hostname, port: greeting });
    const first = Promise.withResolvers<void>();
    ending.watch(first.resolve);
    await first.promise;
    same(await readText(ending), "welcome");
    await ending.close();

    const broken = await transport.connect({ hostname, port: reset });
    const gone = Promise.withResolvers<void>();
    broken.watch(gone.resolve);
    await broken.write(encode("x"));
    await gone.promise;
    same([broken.state, (await rejection(broken.closed)).code], ["closed", "SOCKET_RESET"]);
  },

  "refuses TLS on a connection that is watched, and closes and aborts it": async ({ echo }) => {
    for (const how of ["close", "abort"] as const) {
      const socket = await transport.connect({ hostname, port: echo });
      let told = 0;
      socket.watch(() => told++);
      same((await rejection(socket.startTls())).code, "SOCKET_BUSY");
      const limit = new Promise((resolve) => setTimeout(resolve, 3000, "late"));
      check(await Promise.race([socket[how](), limit]) !== "late", how + " took too long");
      same([socket.state, told], ["closed", 0]);
    }
  },

  "connects, is echoed, and closes by itself after both ends": async ({ echo }) => {
    const socket = await transport.connect({ hostname, port: echo });
    same(socket.remoteAddress, { hostname, port: echo });
    same(socket.localAddress, { hostname: "", port: 0 });
    await talk(socket);
  },

  "connects over IPv6 and by name": async ({ echo, echo6 }) => {
    for (const name of ["::1", "[::1]"]) {
      const socket = await transport.connect({ hostname: name, port: echo6 });
      same(socket.remoteAddress, { hostname: "::1", port: echo6 });
      await talk(socket);
    }
    await talk(await transport.connect({ hostname: "localhost", port: echo }));
  },

  "reads into small buffers without losing bytes": async ({ echo }) => {
    const socket = await transport.connect({ hostname, port: echo });
    const text = "abcdefghij".repeat(100);
    await socket.write(encode(text));
    same(await socket.read(new Uint8Array(0)), 0);
    await socket.closeWrite();
    same(await readText(socket, 7), text);
  },

  "reads from the socket's streams": async ({ echo }) => {
    const socket = await transport.connect({ hostname, port: echo });
    const text = new Response(socket.readable).text();
    const writer = socket.writable.getWriter();
    await writer.write(encode("through streams"));
    await writer.close();
    same(await text, "through streams");
  },

  "moves megabytes both ways at once": async ({ echo }) => {
    const socket = await transport.connect({ hostname, port: echo });
    const size = 8 * 2 ** 20;
    const block = new Uint8Array(64 * 1024).map((_, at) => (at * 31) >> 3);
    const sent = (async () => {
      for (let at = 0; at < size; at += block.byteLength) await socket.write(block);
      await socket.closeWrite();
    })();
    const buffer = new Uint8Array(100_000);
    let total = 0;
    for (let count; (count = await socket.read(buffer)) !== null; total += count) {
      for (const at of [0, count - 1]) check(buffer[at] === block[(total + at) & 0xffff], total);
    }
    await sent;
    same(total, size);
  },

  "keeps many small writes in order": async ({ echo }) => {
    const socket = await transport.connect({ hostname, port: echo });
    const received = readText(socket);
    const texts = Array.from({ length: 2000 }, (_, at) => `${at},`);
    await Promise.all(texts.map((text) => socket.write(encode(text))));
    await socket.closeWrite();
    same(await received, texts.join(""));
  },

  "writes on after the end of what it reads": async ({ greeting }) => {
    const socket = await transport.connect({ hostname, port: greeting });
    same(await readText(socket), "welcome");
    same(await socket.read(new Uint8Array(1)), null);
    same(socket.state, "half-closed");
    await sleep(20);
    await socket.write(encode("still here"));
    await socket.closeWrite();
    await socket.closed;
  },

  "sends what was written before it closes": async ({ echo }) => {
    const socket = await transport.connect({ hostname, port: echo });
    const writing = socket.write(new Uint8Array(100_000));
    await socket.close();
    same(await writing, 100_000);
    same((await rejection(socket.read(new Uint8Array(1)))).code, "SOCKET_CLOSED");
  },

  "rejects a pending read when it closes": async ({ echo }) => {
    const socket = await transport.connect({ hostname, port: echo });
    const reading = rejection(socket.read(new Uint8Array(1)));
    await sleep(10);
    await socket.close();
    same((await reading).code, "SOCKET_CLOSED");
    await socket.closed;
  },

  "rejects what is pending with the reason of abort": async ({ deaf }) => {
    const socket = await transport.connect({ hostname, port: deaf });
    const reason = new Error("enough");
    const reading = rejection(socket.read(new Uint8Array(1)));
    const writing = rejection(socket.write(new Uint8Array(64 * 2 ** 20)));
    await sleep(50);
    socket.abort(reason);
    check(await reading === reason, "read rejects with the reason");
    check(await writing === reason, "write rejects with the reason");
    check(await rejection(socket.closed) === reason, "closed rejects with the reason");
    same(socket.state, "closed");
  },

  "says that the peer reset the connection": async ({ reset }) => {
    const socket = await transport.connect({ hostname, port: reset });
    await socket.write(encode("x"));
    const error = await rejection(socket.read(new Uint8Array(1)));
    same([error.code, socket.state], ["SOCKET_RESET", "closed"]);
    same((await rejection(socket.write(encode("x")))).code, "SOCKET_RESET");
  },

  "says that nothing listens": async ({ closed }) => {
    let released = 0;
    const onReleased = () => void released++;
    const error = await rejection(
      transport.connect({ hostname, port: closed }, { onReleased }),
    );
    same([error.code, error.reason, released], ["CONNECT_FAILED", "other", 1]);
    check(error.message.startsWith(`Cannot connect to 127.0.0.1:${closed}: `), error.message);
  },

  "says that a host name does not resolve": async () => {
    const error = await rejection(transport.connect({ hostname: "no-such-name.invalid", port: 1 }));
    same(error.code, "CONNECT_FAILED");
  },

  "gives up connecting when the time is over, or the signal says so": async ({ silent }) => {
    const target = { hostname, port: silent };
    const late = await rejection(transport.connect(target, { timeoutMs: 50 }));
    same([late.code, late.phase, late.limit], ["CONNECT_TIMEOUT", "connect", 50]);
    const stop = new AbortController();
    const reason = new Error("enough");
    const pending = rejection(transport.connect(target, { signal: stop.signal }));
    await sleep(20);
    stop.abort(reason);
    check(await pending === reason, "connect rejects with the reason");
    check(await rejection(transport.connect(target, { signal: stop.signal })) === reason, "again");
  },

  "secures connections, and names them as it is told": async ({ secure }) => {
    await talk(await transport.connect({ hostname, port: secure, tls: true }));
    await talk(await transport.connect({ hostname: "localhost", port: secure, tls: {} }));
    const tls = { serverName: "jackfield.test" };
    await talk(await transport.connect({ hostname, port: secure, tls }));
  },

  "refuses a certificate that does not fit, and a peer without TLS": async ({ secure, echo }) => {
    const tls = { serverName: "other.test" };
    const error = await rejection(transport.connect({ hostname, port: secure, tls }));
    same([error.code, error.reason], ["CONNECT_FAILED", "tls"]);
    const other = await rejection(
      transport.connect({ hostname, port: echo, tls: true }, { timeoutMs: 2000 }),
    );
    check(["CONNECT_FAILED", "CONNECT_TIMEOUT"].includes(other.code), other);
  },

  "puts TLS on an open connection": async ({ secure }) => {
    const clear = await transport.connect({ hostname, port: secure });
    const secured = await clear.startTls();
    same(clear.state, "gone");
    same((await rejection(clear.write(encode("x")))).code, "SOCKET_GONE");
    await talk(secured, "secret");
    const other = await transport.connect({ hostname, port: secure });
    const error = await rejection(other.startTls({ serverName: "other.test" }));
    same([error.code, error.reason], ["CONNECT_FAILED", "tls"]);
  },

  "refuses what it cannot do": async ({ echo: port, secure }) => {
    const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
      listen: () => transport.listen(),
      unix: () => transport.connect({ path: "/nowhere" }),
      localAddress: () => transport.connect({ hostname, port }, { localAddress: hostname }),
      keepAlive: () => transport.connect({ hostname, port }, { keepAlive: true }),
      "noDelay: false": () => transport.connect({ hostname, port }, { noDelay: false }),
      transferable: () => transport.connect({ hostname, port }, { transferable: true }),
      "tls caCerts": () => transport.connect({ hostname, port, tls: { caCerts: [] } }),
      "tls alpnProtocols": () => transport.connect({ hostname, port, tls: { alpnProtocols: [] } }),
    };
    for (const [feature, use] of Object.entries(attempts)) {
      const error = await rejection(use());
      same([error.code, error.feature], ["UNSUPPORTED", feature]);
    }
    const socket = await transport.connect({ hostname, port: secure }, { noDelay: true });
    const error = await rejection(socket.startTls({ caCerts: [] }));
    same([error.code, error.feature], ["UNSUPPORTED", "tls caCerts"]);
  },

  "refuses bad arguments with the value": async () => {
    const error = await rejection(transport.connect({ hostname, port: 65_536 }));
    check(error instanceof RangeError && error.message.includes('port "65536"'), error);
  },
};
