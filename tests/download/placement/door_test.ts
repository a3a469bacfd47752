// Several threads that accept connections, and one manager thread that sends for all of them (D3).
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  DownloadManager,
  type DownloadManagerOptions,
  type DownloadStats,
  systemTransport,
} from "../../../mod.ts";
import { runtime, test } from "../../harness.ts";
import { eventually, sleep } from "../../transport/tools.ts";
import { Client, Folder } from "../tools.ts";

const skip = runtime === "node" ? "no live socket moves to a thread in Node" : false;
// Opened once in a program, and kept.
if (skip === false) await systemTransport().host.descriptors?.();

const BIG = 24 * 2 ** 20;

interface Reply {
  readonly port?: number;
  readonly stats?: DownloadStats & { readonly connections: number };
  readonly closed?: true;
  readonly failure?: string;
  readonly error?: string;
}

/** A thread that accepts connections on a port of several, and sends through a door. */
class ConnectionThread {
  readonly errors: string[] = [];
  #worker: Worker;
  #told: ((reply: Reply) => void) | undefined;

  constructor() {
    const script = new URL("../../fixtures/connection_thread.ts", import.meta.url);
    this.#worker = new Worker(script.href, { type: "module" });
    this.#worker.onmessage = ({ data }: { data: Reply }) => {
      if (data.error !== undefined) this.errors.push(data.error);
      else this.#told?.(data);
    };
  }

  ask(order: object, transfer: Transferable[] = []): Promise<Reply> {
    this.#worker.postMessage(order, transfer);
    return new Promise((resolve) => this.#told = resolve);
  }

  async serve(manager: DownloadManager, root: string, port = 0): Promise<number> {
    const door = manager.door();
    const reply = await this.ask({ kind: "serve", door, root, port }, [door]);
    if (reply.port === undefined) throw new Error(reply.failure);
    return reply.port;
  }

  async stats(): Promise<DownloadStats & { readonly connections: number }> {
    return (await this.ask({ kind: "stats" })).stats!;
  }

  end(): void {
    this.#worker.terminate();
  }
}

type Stats = Awaited<ReturnType<ConnectionThread["stats"]>>;

/** What the threads do, as soon as it is what is expected, or after a while. */
async function statsOf(
  threads: readonly ConnectionThread[],
  isExpected: (all: readonly Stats[]) => boolean,
): Promise<Stats[]> {
  for (let tries = 0;; tries++) {
    const all: Stats[] = [];
    for (const thread of threads) all.push(await thread.stats());
    if (isExpected(all) || tries === 100) return all;
    await sleep(20);
  }
}

const finishedOf = (all: readonly Stats[]): number =>
  all.reduce((sum, { finished }) => sum + finished, 0);

interface Threads {
  readonly manager: DownloadManager;
  readonly folder: Folder;
  readonly threads: readonly ConnectionThread[];
  /** A new connection, to whichever of the threads. */
  connect(): Promise<Client>;
}

/** Two connection threads with one port, and a manager that this thread has started. */
async function withTwo(
  run: (threads: Threads) => Promise<void>,
  options: Partial<DownloadManagerOptions> = {},
): Promise<void> {
  const folder = new Folder();
  const manager = new DownloadManager({ root: folder.path, placement: "thread", ...options });
  const threads = [new ConnectionThread(), new ConnectionThread()];
  const clients: Client[] = [];
  try {
    const port = await threads[0]!.serve(manager, folder.path);
    assertEquals(await threads[1]!.serve(manager, folder.path, port), port);
    await run({
      manager,
      folder,
      threads,
      async connect() {
        const client = await Client.connect({ hostname: "127.0.0.1", port });
        clients.push(client);
        return client;
      },
    });
  } finally {
    for (const client of clients) client.socket.abort();
    for (const thread of threads) {
      await thread.ask({ kind: "abort" });
      thread.end();
    }
    await manager.close();
    folder.remove();
  }
}

test(
  "two threads accept, and one manager thread sends for both",
  { skip },
  () =>
    withTwo(async ({ folder, threads, connect }) => {
      const bytes = folder.fill("a.bin", 500_000);
      const clients = await Promise.all(Array.from({ length: 24 }, () => connect()));
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all(clients.map((client) => client.request("GET /a.bin")));
        for (const { status, body } of answers) assertEquals([status, body], [200, bytes]);
      }
      const stats = await statsOf(threads, (all) => finishedOf(all) === 72);
      assertEquals(finishedOf(stats), 72);
      assertEquals(stats[0]!.connections + stats[1]!.connections, 24);
      for (const { connections, finished } of stats) {
        assert(connections > 0, "the kernel gave all connections to one of them");
        assertEquals(finished, 3 * connections);
      }
    }),
);

test(
  "threads behind doors share one queue, and errors go where they belong",
  { skip },
  () =>
    withTwo(async ({ folder, threads, connect }) => {
      folder.fill("big", BIG);
      folder.write("a", "here");
      const first = await connect();
      await first.send("GET /big");
      await first.answerHead();
      const others = await Promise.all(Array.from({ length: 12 }, () => connect()));
      for (const client of others) await client.send("GET /a");
      const stats = await statsOf(threads, ([one, other]) => one!.queued + other!.queued === 12);
      assertEquals(stats[0]!.queued + stats[1]!.queued, 12);
      assertEquals(stats[0]!.active + stats[1]!.active, 1); // of both
      first.socket.abort();
      for (const client of others) assertEquals((await client.answer()).status, 200);
      await eventually(() => threads.some(({ errors }) => errors.length > 0), () => "it is told");
      const errors = threads.flatMap(({ errors }) => errors);
      assertEquals(errors.length, 1);
      assertStringIncludes(errors[0]!, "the peer reset the connection");
    }, { maxActive: 1 }),
);

test("a door is of no use to who lacks the manager's hooks, and ends with the manager", {
  skip,
}, async () => {
  const folder = new Folder();
  const errors: unknown[] = [];
  const manager = new DownloadManager({
    root: folder.path,
    placement: "thread",
    authorize: () => true,
    onError: (error) => errors.push(error),
  });
  const options = { root: folder.path, onError: (error: unknown) => errors.push(error) };
  const lacking = new DownloadManager({ ...options, placement: manager.door() });
  const error = await lacking.check().catch((error) => error);
  assert(error instanceof TypeError);
  assertEquals(
    error.message,
    'Cannot use door: the manager has the hook "authorize", and who comes through the door has not',
  );
  const other = new DownloadManager({
    ...options,
    placement: manager.door(),
    authorize: () => true,
  });
  await other.check();
  assertEquals([manager.placement, other.placement], ["thread", "thread"]);
  await manager.close();
  await eventually(() => errors.length === 2, () => `${errors}`);
  await lacking.close();
  await other.close();
  folder.remove();
});
