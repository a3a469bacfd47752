import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import type { JackfieldError, Socket } from "../../../src/core.ts";
import {
  type MemoryFault,
  memoryTransport,
  type MemoryTransportOptions,
  seededFaults,
  seededRandom,
  VirtualClock,
} from "../../../src/testing/mod.ts";
import { test } from "../../harness.ts";
import { bytesOf, pattern, readAll, readExactly, rejection } from "../../transport/tools.ts";

/** A network with a connection in it. */
async function connected(options: MemoryTransportOptions = {}) {
  const network = memoryTransport(options);
  const listener = await network.listen();
  const near = await network.connect(listener.address);
  const far = await listener.accept();
  await listener.close();
  return { network, near, far };
}

async function closeAll(...sockets: Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => socket.close()));
}

test("memoryTransport() holds no more than pipeBytes for a slow reader", async () => {
  const clock = new VirtualClock();
  const { near, far } = await connected({ clock, pipeBytes: 100 });
  let sent = 0;
  const writing = (async () => {
    for (let times = 0; times < 10; times++) sent += await near.write(pattern(30));
  })();
  await clock.settle();
  assertEquals(sent, 90); // three and a part of the fourth
  await readExactly(far, 20);
  await clock.settle();
  assertEquals(sent, 120);
  await readExactly(far, 280);
  await writing;
  assertEquals(sent, 300);
  await closeAll(near, far);
});

test("memoryTransport() copies what is written: the bytes may change once it resolves", async () => {
  const { near, far } = await connected();
  const bytes = bytesOf("before");
  await near.write(bytes);
  bytes.set(bytesOf("after!"));
  assertEquals(await readExactly(far, 6), bytesOf("before"));
  await closeAll(near, far);
});

test("memoryTransport() counts the ends that are held", async () => {
  const network = memoryTransport();
  const listener = await network.listen();
  assertEquals(network.openEnds, 0);
  const near = await network.connect(listener.address);
  assertEquals(network.openEnds, 2); // the far one waits to be accepted
  near.abort();
  assertEquals(network.openEnds, 1);
  await listener.close();
  assertEquals(network.openEnds, 0);
});

test("memoryTransport() has one connection for two addresses and ports", async () => {
  const network = memoryTransport();
  const listener = await network.listen();
  const from = { localAddress: "127.0.0.9", localPort: 4000 };
  const near = await network.connect(listener.address, from);
  assertEquals(near.localAddress, { hostname: "127.0.0.9", port: 4000 });
  const error = await rejection(network.connect(listener.address, from)) as JackfieldError;
  assertEquals([error.code, error.reason], ["CONNECT_FAILED", "address-in-use"]);
  const far = await listener.accept();
  await closeAll(near, far);
  const again = await network.connect(listener.address, from);
  again.abort();
  await listener.close();
  assertEquals(network.openEnds, 0);
});

test("memoryTransport() listens once on an address, and again after it was closed", async () => {
  const network = memoryTransport();
  const listener = await network.listen({ hostname: "::1" });
  assertEquals(listener.address.hostname, "::1");
  const { port } = listener.address;
  for (const hostname of ["::1", "[::1]"]) {
    const error = await rejection(network.listen({ hostname, port })) as JackfieldError;
    assertEquals([error.code, error.reason], ["LISTEN_FAILED", "address-in-use"]);
  }
  const elsewhere = await network.listen({ hostname: "127.0.0.1", port });
  await elsewhere.close();
  await listener.close();
  await (await network.listen({ hostname: "::1", port })).close();
});

test("memoryTransport() never runs out of ports, and never leaves their range", async () => {
  const network = memoryTransport();
  const kept = await network.listen();
  for (let times = 0; times < 33_000; times++) { // more than there are
    const near = await network.connect(kept.address);
    assertLess(near.localAddress.port, 65_536);
    near.abort();
    (await kept.accept()).abort();
  }
  const listener = await network.listen();
  assert(listener.address.port < 65_536 && listener.address.port !== kept.address.port);
  const near = await network.connect(listener.address);
  near.abort();
  await Promise.all([listener.close(), kept.close()]);
  assertEquals(network.openEnds, 0);
});

test("memoryTransport() keeps networks apart", async () => {
  const [one, other] = [memoryTransport(), memoryTransport()];
  const listener = await one.listen();
  const error = await rejection(other.connect(listener.address)) as JackfieldError;
  assertEquals([error.code, error.reason], ["CONNECT_FAILED", "refused"]);
  await listener.close();
});

test("memoryTransport() lets a fault refuse a connect", async () => {
  const faults = (operation: string): MemoryFault | undefined =>
    operation === "connect" ? { kind: "fail" } : undefined;
  const network = memoryTransport({ faults });
  const listener = await network.listen();
  let released = 0;
  const onReleased = () => void released++;
  const error = await rejection(
    network.connect(listener.address, { onReleased }),
  ) as JackfieldError;
  assertEquals([error.code, error.reason, released], ["CONNECT_FAILED", "refused", 1]);
  assertEquals(network.openEnds, 0);
  await listener.close();
});

test("memoryTransport() lets a fault reset a connection that reads or writes", async () => {
  for (const broken of ["read", "write"] as const) {
    let armed = false;
    const faults = (operation: string): MemoryFault | undefined =>
      armed && operation === broken ? { kind: "fail" } : undefined;
    const { network, near, far } = await connected({ faults });
    armed = true;
    const failing = broken === "read" ? near.read(new Uint8Array(1)) : near.write(bytesOf("x"));
    assertEquals((await rejection(failing)).code, "SOCKET_RESET");
    armed = false;
    assertEquals((await rejection(far.read(new Uint8Array(1)))).code, "SOCKET_RESET");
    await closeAll(near, far);
    assertEquals(network.openEnds, 0);
  }
});

test("memoryTransport() lets faults delay everything by its own clock", async () => {
  const clock = new VirtualClock();
  const network = memoryTransport({ clock, faults: () => ({ kind: "delay", delayMs: 100 }) });
  const listener = await network.listen();
  const times: number[] = [];
  const talking = (async () => {
    const near = await network.connect(listener.address);
    times.push(clock.now());
    const far = await listener.accept();
    await near.write(bytesOf("x"));
    times.push(clock.now());
    await far.read(new Uint8Array(1));
    times.push(clock.now());
    await closeAll(near, far, listener as unknown as Socket);
  })();
  await clock.advance(1000);
  await talking;
  assertEquals(times, [100, 300, 400]); // The accept takes as long.
});

test("memoryTransport() takes back a delayed connect that is given up", async () => {
  const clock = new VirtualClock();
  const network = memoryTransport({ clock, faults: () => ({ kind: "delay", delayMs: 100 }) });
  const listener = await network.listen();
  const late = rejection(network.connect(listener.address, { timeoutMs: 50 }));
  await clock.advance(50);
  assertEquals((await late).code, "CONNECT_TIMEOUT");
  assertEquals([clock.pending, network.openEnds], [0, 0]);
  await listener.close();
});

test("memoryTransport() sends through a narrow pipe what goes through a wide one", async () => {
  for (const pipeBytes of [1, 7, 65_536]) {
    const { near, far } = await connected({ pipeBytes });
    const sent = near.write(pattern(5000)).then(() => near.closeWrite());
    assertEquals(await readAll(far), pattern(5000));
    await sent;
    await closeAll(near, far);
  }
  for (const pipeBytes of [0, -1, NaN]) {
    assertThrows(() => memoryTransport({ pipeBytes }), RangeError, `pipeBytes "${pipeBytes}"`);
  }
});

test("seededFaults() gives the same faults for the same seed", () => {
  const options = { read: 0.2, write: 0.1, connect: 0.5, delay: 0.3, maxDelayMs: 50 };
  const draw = (seed: number) => {
    const faults = seededFaults({ seed, ...options });
    const operations = ["connect", "read", "write"] as const;
    return Array.from({ length: 300 }, (_, at) => faults(operations[at % 3]!));
  };
  assertEquals(draw(7), draw(7));
  assert(JSON.stringify(draw(7)) !== JSON.stringify(draw(8)));
  const kinds = draw(7).map((fault) => fault?.kind);
  for (const kind of ["fail", "delay", undefined]) assert(kinds.includes(kind as "fail"), kind);
  for (const fault of draw(7)) {
    if (fault?.kind === "delay") assert(fault.delayMs >= 0 && fault.delayMs < 50);
  }
});

test("seededFaults() does nothing unless it is asked to, and names bad probabilities", () => {
  const faults = seededFaults({ seed: 1 });
  for (let times = 0; times < 100; times++) assertEquals(faults("read"), undefined);
  for (const name of ["connect", "read", "write", "delay"]) {
    for (const bad of [-0.1, 1.1, NaN]) {
      assertThrows(
        () => seededFaults({ seed: 1, [name]: bad }),
        RangeError,
        `Cannot use ${name} "${bad}"`,
      );
    }
  }
});

test("seededRandom() is repeatable, and fills 0 to 1 evenly", () => {
  const [one, other] = [seededRandom(42), seededRandom(42)];
  const tenths = new Array<number>(10).fill(0);
  for (let times = 0; times < 10_000; times++) {
    const value = one();
    assertEquals(value, other());
    assert(value >= 0 && value < 1);
    tenths[Math.floor(value * 10)]!++;
  }
  for (const count of tenths) assert(count > 850 && count < 1150, String(tenths));
});
