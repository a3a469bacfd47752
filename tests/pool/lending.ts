// A pool whose leases are lent to another owner in the same program: a kernel that counts copies, and
// a link whose messages arrive when the test says so.
import {
  HandoffChannel,
  type LentSocket,
  type Listener,
  type PartingReason,
  type PoolObserver,
  type Socket,
  SocketPool,
  type SocketPoolOptions,
  type Transport,
} from "../../src/core.ts";
import { memoryTransport, VirtualClock } from "../../src/testing/mod.ts";
import { FakeKernel, type FakeLink, fakeLinks } from "../handoff/fake_owners.ts";

/** What the other owner was lent. */
export interface Borrowed {
  readonly lease: LentSocket;
  readonly data: unknown;
}

/** Another owner: the ends of its link, its channel, and what it was lent. */
export interface Borrower {
  readonly near: FakeLink;
  readonly far: FakeLink;
  /** The end of the pool. */
  readonly channel: HandoffChannel;
  /** The other end. */
  readonly farChannel: HandoffChannel;
  readonly borrowed: Borrowed[];
  /** What it was sent for good. */
  readonly owned: Socket[];
}

/** A pool and everything around it. */
export interface LendingScene<Session> {
  readonly clock: VirtualClock;
  readonly kernel: FakeKernel;
  readonly transport: Transport;
  readonly listener: Listener;
  /** The far ends of the connections, in the order in which they came. */
  readonly peers: Socket[];
  readonly pool: SocketPool<Session>;
  readonly events: string[];
  borrower(kind: "thread" | "process", takesLeases?: boolean): Borrower;
  /** Let every message arrive, until nothing happens any more. */
  settle(): Promise<void>;
  /** The other owner dies, and its last message has come. */
  bury(borrower: Borrower): Promise<void>;
}

/** Make one. */
export async function lendingScene<Session = undefined>(
  options: Partial<SocketPoolOptions<Session>> = {},
): Promise<LendingScene<Session>> {
  const clock = new VirtualClock();
  const network = memoryTransport({ clock });
  const kernel = new FakeKernel();
  const transport: Transport = {
    name: network.name,
    capabilities: network.capabilities,
    host: network.host,
    connect: async (target, how) => kernel.adopt(await network.connect(target, how), "near"),
    listen: (how) => network.listen(how),
  };
  const listener = await network.listen({ hostname: "127.0.0.9", port: 80 });
  const peers: Socket[] = [];
  void (async () => {
    for await (const socket of listener) peers.push(socket);
  })();
  const events: string[] = [];
  const observer: PoolObserver = {
    leased: () => events.push("leased"),
    released: () => events.push("released"),
    closed: (_socket, reason: PartingReason) => events.push(`closed: ${reason}`),
  };
  const pool = new SocketPool<Session>({
    ...(options.addresses === undefined ? { transport } : {}),
    target: listener.address,
    clock,
    random: () => 0,
    observer,
    ...options,
  });
  const links: FakeLink[] = [];
  let owners = 0;
  const settle = async () => {
    for (let quiet = 0; quiet < 3;) {
      await clock.settle();
      const ended = links.map((link) => link.endTurn());
      quiet = [...links.map((link) => link.step()), ...ended].includes(true) ? 0 : quiet + 1;
    }
  };
  return {
    clock,
    kernel,
    transport,
    listener,
    peers,
    pool,
    events,
    settle,
    borrower(kind, takesLeases = true) {
      const { near, far } = fakeLinks(kind, kernel, `far ${++owners}`);
      links.push(near, far);
      const borrowed: Borrowed[] = [];
      const owned: Socket[] = [];
      const channelOf = (link: FakeLink, onLease?: (lease: LentSocket, data: unknown) => void) =>
        new HandoffChannel(link, {
          clock,
          descriptors: kind === "thread" ? kernel.descriptors(link.holder) : undefined,
          onLease,
          onSocket: (socket) => void owned.push(socket),
        });
      const onLease = (lease: LentSocket, data: unknown) => void borrowed.push({ lease, data });
      return {
        near,
        far,
        channel: channelOf(near),
        farChannel: channelOf(far, takesLeases ? onLease : undefined),
        borrowed,
        owned,
      };
    },
    async bury({ near, far }) {
      far.isAlive = false;
      for (const { connection } of far.arriving.splice(0)) connection?.drop();
      kernel.bury(far.holder);
      while (near.step());
      await clock.settle();
      near.end({ reason: "failed" });
      await clock.settle();
    },
  };
}

/** Send a word from one end, and read it at the other. */
export async function carries(from: Socket, to: Socket, word: string): Promise<boolean> {
  const bytes = new TextEncoder().encode(word);
  await from.write(bytes);
  const into = new Uint8Array(bytes.byteLength + 1);
  const count = await to.read(into) ?? 0;
  return new TextDecoder().decode(into.subarray(0, count)) === word;
}
