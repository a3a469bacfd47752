// Leases that go to real threads and processes, and come back.
import { assert, assertEquals } from "@std/assert";
import {
  AddressTable,
  type Descriptors,
  HandoffChannel,
  hostAddresses,
  type Socket,
  SocketPool,
  type StartedOwner,
} from "../../src/core.ts";
import { systemTransport } from "../../src/system_transport.ts";
import { test } from "../harness.ts";
import { echo, eventually, readExactly, rejection, textOf } from "../transport/tools.ts";
import { bytesOf, countDescriptors, descriptorsBack } from "../transport/tools.ts";
import type { Job } from "./lease_owner.ts";

const OWNER_URL = new URL("lease_owner.ts", import.meta.url);

interface Answer {
  readonly answer: string;
  readonly port: number;
  readonly pid: number;
}

interface Other {
  readonly owner: StartedOwner;
  readonly channel: HandoffChannel;
  /** What it says next. */
  says(): Promise<Answer>;
}

/** Register the cases for one kind. */
export function lendCases(kind: "thread" | "process", skip: string | false): void {
  const transport = systemTransport();

  async function startOther(): Promise<Other> {
    const owners = transport.host[kind === "thread" ? "workers" : "processes"]!;
    const owner = owners.start("lease owner", { url: OWNER_URL });
    const descriptors: Descriptors | undefined = kind === "thread"
      ? await transport.host.descriptors!()
      : undefined;
    const messages: Answer[] = [];
    const channel = new HandoffChannel(owner, {
      descriptors,
      onMessage: (message) => messages.push(message as Answer),
    });
    return {
      owner,
      channel,
      async says() {
        await eventually(() => messages.length > 0, () => "what the other owner says");
        return messages.shift()!;
      },
    };
  }

  async function echoPeer(): Promise<
    { target: { hostname: string; port: number }; readonly ports: number[]; end(): Promise<void> }
  > {
    const listener = await transport.listen();
    const sockets: Socket[] = [];
    const served = (async () => {
      for await (const socket of listener) {
        sockets.push(socket);
        echo(socket).catch(() => socket.abort());
      }
    })();
    return {
      target: listener.address,
      get ports() {
        return sockets.map(({ remoteAddress }) => remoteAddress.port);
      },
      async end() {
        await listener.close();
        await served;
        await Promise.all(sockets.map((socket) => socket.close()));
      },
    };
  }

  const job = (word: string, then: Job["then"]): Job => ({ word, then });

  test(`SocketLease.lend() lets two owners and this one use one connection in turn, ${kind} (P1)`, {
    skip,
    sanitize: false, // A child of node:child_process outlives its test by a turn.
  }, async () => {
    const peer = await echoPeer();
    const pool = new SocketPool({ transport, target: peer.target, maxSize: 1, transferable: true });
    const others = await Promise.all([startOther(), startOther()]);
    let before: number | undefined;
    const said: Answer[] = [];
    for (let round = 0; round < 3; round++) {
      for (const { channel, says } of others) {
        // The second one waits for what the first one gives back.
        await pool.use((lease) => lease.lend(channel, job(`round ${round}`, "release")));
        said.push(await says());
        assertEquals(said.at(-1)!.answer, `round ${round}`);
      }
      await pool.use(async ({ socket }) => {
        await socket.write(bytesOf("here"));
        assertEquals(textOf(await readExactly(socket, 4)), "here");
        assertEquals([socket.localAddress.port], peer.ports);
      });
      if (round === 0) before = countDescriptors();
    }
    assertEquals(new Set(said.map(({ port }) => port)), new Set(peer.ports));
    assertEquals(new Set(said.map(({ pid }) => pid)).size, kind === "process" ? 2 : 1);
    if (before !== undefined) await descriptorsBack(before);
    assertEquals([pool.stats().size, pool.stats().idle], [1, 1]);
    await pool.close();
    await Promise.all(others.map(({ owner }) => owner.terminate()));
    await peer.end();
  });

  test(`SocketLease.lend() to an owner that closes, dies, or releases and exits, ${kind}`, {
    skip,
    sanitize: false,
  }, async () => {
    const peer = await echoPeer();
    const addresses = new AddressTable({ transport, source: hostAddresses(["127.0.0.5"]) });
    const pool = new SocketPool({
      addresses,
      target: peer.target,
      maxSize: 1,
      transferable: true,
    });
    const { ports } = addresses.state();
    assertEquals([ports.used, ports.resting], [0, 0]);
    const one = await startOther();
    await pool.use((lease) => lease.lend(one.channel, job("close it", "close")));
    assertEquals((await one.says()).answer, "close it");
    // The next task has a new connection, and the port of the one before does not rest.
    await pool.use((lease) => lease.lend(one.channel, job("keep it", "keep")));
    assertEquals((await one.says()).answer, "keep it");
    const held = addresses.state().ports;
    assertEquals([held.used, held.resting, peer.ports.length], [1, 0, 2]);
    await one.owner.terminate();
    await one.channel.ended;
    await eventually(() => pool.stats().size === 0, () => JSON.stringify(pool.stats()));
    const two = await startOther();
    const lease = await pool.acquire();
    await lease.lend(two.channel, job("last words", "release and exit"));
    assertEquals((await two.says()).answer, "last words");
    await two.channel.ended;
    const next = await pool.acquire();
    assertEquals(lease.state, "released");
    await next.socket.write(bytesOf("still here"));
    assertEquals(textOf(await readExactly(next.socket, 10)), "still here");
    assertEquals(peer.ports.length, 3);
    assertEquals((await rejection(next.lend(two.channel))).code, "HANDOFF_CLOSED");
    assertEquals(next.state, "leased");
    next.release();
    await pool.close();
    await eventually(() => addresses.state().ports.used === 0, () => "the port back");
    assertEquals(addresses.state().ports.resting, 0);
    assert(one.channel.inFlight + two.channel.inFlight === 0);
    await addresses.closeAll();
    await peer.end();
  });
}
