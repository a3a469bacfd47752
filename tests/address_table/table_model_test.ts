// Every operation of the table at any time, over sources that lose leases, ask others, and fail:
// as many steps as JACKFIELD_STEPS says. A failure names its seed and the fewest steps that show it.
import { assert, assertEquals } from "@std/assert";
import process from "node:process";
import {
  AddressTable,
  type AddressTableOptions,
  delay,
  isJackfieldError,
  type Listener,
  type Socket,
  type Target,
} from "../../src/core.ts";
import {
  type MemoryTransport,
  memoryTransport,
  property,
  seededFaults,
  VirtualClock,
} from "../../src/testing/mod.ts";
import { test } from "../harness.ts";
import { type Dice, settle } from "../support/seeds.ts";
import { WatchedInterfaces, WatchedSource } from "./sources.ts";

// Each seed has other options, so that many short runs show more than a few long ones.
const RUNS = 20;
const STEPS = Math.ceil(Number(process.env.JACKFIELD_STEPS ?? 20_000) / RUNS);
const ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "fd00::1", "fd00::2"];

/** What an operation may fail with; anything else is a defect. */
const EXPECTED = new Set([
  "ADDRESS_ASSIGN_FAILED",
  "ADDRESS_EXHAUSTED",
  "ADDRESS_IN_USE",
  "ADDRESS_LEASE_LOST",
  "ADDRESS_TABLE_CLOSED",
  "ADDRESS_UNKNOWN_DESCRIPTOR",
  "CONNECT_FAILED",
  "CONNECT_TIMEOUT",
  "LISTEN_FAILED",
]);

/** A table over everything that can go wrong, chosen by the dice. */
function scene(dice: Dice, seed: number) {
  const clock = new VirtualClock();
  const maybe = <T>(value: T): T | undefined => dice.below(2) === 0 ? value : undefined;
  const interfaces = new WatchedInterfaces();
  const waits = dice.below(2) === 0;
  const wait = () => waits && dice.below(3) === 0 ? delay(clock, dice.below(30)) : undefined;
  interfaces.wait = wait;
  const faults = seededFaults({ seed, connect: 0.1, delay: 0.3, maxDelayMs: 20 });
  const transport = memoryTransport({ clock, faults, host: { interfaces } });
  const source = new WatchedSource({
    addresses: ADDRESSES,
    isListing: dice.below(2) === 0,
    leaseMs: maybe(200 + dice.below(2000)),
    renews: dice.below(3) > 0,
    clock,
    wait,
  });
  const exclusive = dice.below(2) === 0;
  const failures: unknown[] = [];
  const options: AddressTableOptions = {
    transport,
    source,
    clock,
    exclusive,
    ...(exclusive ? {} : { maxSocketsPerAddress: maybe(1 + dice.below(5)) }),
    maxAddresses: 1 + dice.below(6),
    ports: { from: 40_000, to: 40_003 + dice.below(80) },
    maxDescriptors: 40,
    reuseRestMs: maybe(dice.below(100)),
    portRestMs: dice.below(200),
    drainMs: dice.below(100),
    assign: dice.below(3) === 0 ? { interface: "eth0", validMs: 2000 } : undefined,
    onError: (error) => failures.push(error),
    random: dice.random,
  };
  return {
    clock,
    transport,
    source,
    interfaces,
    exclusive,
    failures,
    table: new AddressTable(options),
  };
}

/** Listens at a few places, and closes what comes. */
async function peers(transport: MemoryTransport): Promise<{ targets: Target[]; end(): void }> {
  const listeners: Listener[] = [];
  for (const hostname of ["192.0.2.1", "192.0.2.2", "2001:db8::1"]) {
    const listener = await transport.listen({ hostname, port: 80, maxPending: 100_000 });
    listeners.push(listener);
    void (async () => {
      for await (const socket of listener) {
        const far = socket;
        const end = () => void far.close();
        far.read(new Uint8Array(1)).then(end, end);
      }
    })();
  }
  return {
    targets: [...listeners.map(({ address }) => address), { hostname: "silent", port: 1 }],
    end: () => listeners.forEach((listener) => void listener.close()),
  };
}

test(`AddressTable keeps its rules in ${RUNS * STEPS} random steps (A2, A3, A5, A7)`, {
  timeoutMs: 120_000,
}, async () => {
  await property("AddressTable keeps its rules", async (dice) => {
    const { clock, transport, source, interfaces, exclusive, failures, table } = scene(
      dice,
      dice.seed,
    );
    const { targets, end } = await peers(transport);
    const descriptors: number[] = [];
    const tuples = new Set<string>();
    const sockets: Socket[] = [];
    const listeners: Listener[] = [];
    let pending = 0;
    const run = (operation: Promise<unknown>) => {
      pending++;
      operation.catch((error) => {
        const expected = error === "gave up" ||
          isJackfieldError(error) && EXPECTED.has(error.code) ||
          error instanceof TypeError && error.message.includes("of one family");
        if (!expected) failures.push(error);
      }).finally(() => pending--);
    };
    const connect = (connecting: Promise<Socket>) =>
      run(connecting.then((socket) => {
        const { localAddress: near, remoteAddress: far } = socket;
        const tuple = `${near.hostname} ${near.port} ${far.hostname} ${far.port}`;
        assert(!tuples.has(tuple), `two connections are ${tuple}`);
        tuples.add(tuple);
        sockets.push(socket);
        const gone = () => {
          tuples.delete(tuple);
          sockets.splice(sockets.indexOf(socket), 1);
        };
        socket.closed.then(gone, gone);
      }));
    for (const step of dice.steps(STEPS)) {
      const descriptor = descriptors.length > 0 ? dice.oneOf(descriptors) : 0;
      const target = dice.oneOf(targets);
      const what = dice.random() * 100;
      if (what < 15) {
        dice.note("create");
        run(
          table.create(dice.below(2) === 0 ? {} : { target }).then((made) => {
            descriptors.push(made);
          }),
        );
      } else if (what < 23) {
        dice.note(`bind ${descriptor}`);
        run(table.bind(descriptor, dice.below(4) > 0 ? {} : { port: 39_990 + dice.below(60) }));
      } else if (what < 43) {
        dice.note(what < 33 ? "connect" : `connect ${descriptor}`);
        const controller = new AbortController();
        const options = { signal: controller.signal, timeoutMs: 1 + dice.below(40) };
        connect(
          what < 33 ? table.connect(target, options) : table.connect(descriptor, target, options),
        );
        if (dice.below(10) === 0) controller.abort("gave up");
      } else if (what < 47) {
        dice.note(`listen ${descriptor}`);
        run(table.listen(descriptor).then((listener) => listeners.push(listener)));
      } else if (what < 57) {
        dice.note(`close ${descriptor}`);
        run(table.close(descriptor));
        if (dice.below(10) > 0) descriptors.splice(descriptors.indexOf(descriptor), 1);
      } else if (what < 66 && sockets.length > 0) {
        dice.note("end a socket");
        const socket = dice.oneOf(sockets);
        if (what < 62) void socket.close();
        else socket.abort();
      } else if (what < 67 && listeners.length > 0) {
        dice.note("end a listener");
        void listeners.splice(dice.below(listeners.length), 1)[0]!.close();
      } else if (what < 67.1) {
        dice.note("lose a lease");
        dice.oneOf([...source.lent.values(), undefined])?.controller.abort();
      } else if (what < 69) {
        dice.note("rest");
        table.rest(
          dice.oneOf(ADDRESSES),
          dice.below(3) === 0 ? undefined : target,
          dice.below(50) + 1,
        );
      } else if (what < 69.3) {
        dice.note("ban");
        table.ban(dice.oneOf(ADDRESSES), target);
      } else if (what < 73) {
        dice.note("lift");
        table.lift(dice.oneOf(ADDRESSES), target);
      } else if (what < 74) {
        dice.note("refresh");
        table.refresh();
      } else if (what < 88) {
        const ms = dice.below(50);
        dice.note(`wait ${ms} ms`);
        await clock.advance(ms);
      } else {
        dice.note("settle");
        await settle();
      }
      if (step % 10 === 0) {
        for (const { state, localAddress: { hostname } } of sockets) {
          const lease = source.lent.get(hostname);
          const isLent = lease !== undefined && !lease.lost!.aborted &&
            (lease.expiresAtMs ?? Infinity) > clock.now();
          assert(isLent || state === "closed", `${hostname} is used without a lease, step ${step}`);
        }
      }
      if (step % 100 === 0) {
        const { addresses, ports, destinations } = table.state();
        for (const { hostname, descriptors: users } of addresses) {
          assert(!exclusive || users.length <= 1, `${hostname} has ${users}`);
        }
        const used = destinations.reduce((sum, { used }) => sum + used, 0);
        assertEquals([used, ports.used], [table.ports, table.ports]);
        assert(table.ports >= tuples.size, `a port went back too early in step ${step}`);
        assert(table.size <= 40, `too many descriptors in step ${step}`);
      }
    }
    const closing = table.closeAll();
    await clock.advance(60_000);
    await closing;
    end();
    for (const socket of sockets) socket.abort();
    await clock.advance(60_000);
    assertEquals(failures, []);
    assertEquals([pending, table.size, table.ports, sockets.length], [0, 0, 0, 0]);
    assertEquals([source.lent.size, interfaces.assigned.size], [0, 0]);
    assertEquals(source.counts.releases, source.counts.leases);
    assertEquals(table.state().addresses.filter(({ state }) => state !== "resting"), []);
    assertEquals([transport.openEnds, clock.pending], [0, 0]);
  }, { seed: 500, runs: RUNS, runTimeLimitMs: 60_000 });
});
