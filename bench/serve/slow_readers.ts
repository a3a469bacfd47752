import { setTimeout as sleep } from "node:timers/promises";
import { type Competitor, type ServeRuntime, startProgram } from "./contenders.ts";
import { type LoadClass, runLoad } from "./load_client.ts";
import { startNginx } from "./nginx.ts";
import type { Engine } from "./our_facts.ts";
import { memoryOf } from "./process_facts.ts";
import { BIG_PATH, makeServedFolder } from "./served_folder.ts";
import { startOurs } from "./server_process.ts";

/** What a server's memory grew by with slow readers. */
export interface SlowReaders {
  readonly name: string;
  readonly readers: number;
  /** RSS before the first of them, in MiB. */
  readonly beforeMiB: number;
  /** RSS with each of them in a download, in bytes each. */
  readonly growthBytes: number;
  /** RSS of a bare program of the same runtime with as many idle connections, in bytes each. */
  readonly bareBytes: number | undefined;
}

interface Running {
  readonly port: number;
  pids(): number[];
  end(): Promise<void>;
}

/** A reader that takes 1 KiB per second, and whose kernel holds little. */
const READER = {
  name: "slow",
  path: BIG_PATH,
  rate: 1024,
  every: 500,
  receive: 4096,
  segment: 1460,
  address: "127.1.0.1",
} as const;
/** What warms a server up: compilers and buffers are not the readers' business. */
const WARM_READERS = 200;
const WARM_FAST: LoadClass = { name: "fast", path: BIG_PATH, clients: 4, rate: 20_000_000 };

/**
 * Measures servers with slow readers.
 *
 * It has a folder of its own: Deno shows nothing below /dev to programs without all permissions.
 */
export class SlowReaderBench {
  #program: string;
  #folder: ReturnType<typeof makeServedFolder> = makeServedFolder();
  #readers: number;
  #bare = new Map<ServeRuntime, number>();

  /** `program` is slow.c, built. */
  constructor(program: string, readers: number) {
    this.#program = program;
    this.#readers = readers;
  }

  /** Take the folder away. */
  remove(): void {
    this.#folder.remove();
  }

  /** One of our servers, or nginx for comparison; `undefined` for others. */
  async measure({ name, ours }: Competitor): Promise<SlowReaders | undefined> {
    if (ours === undefined && name !== "nginx") return undefined;
    if (ours?.engine === "accept") return undefined; // It is the same server in a thread.
    const bareBytes = ours === undefined ? undefined : await this.bareOf(ours.runtime);
    const server = ours === undefined
      ? await startNginx({ root: this.#folder.root })
      : await this.#startOurs(ours.runtime, ours.engine);
    const { beforeMiB, growthBytes } = await this.#grow(server!, [WARM_FAST]);
    return { name, readers: this.#readers, beforeMiB, growthBytes, bareBytes };
  }

  /** What idle connections cost a bare program, in bytes each: measured once for each runtime. */
  async bareOf(runtime: ServeRuntime): Promise<number> {
    let bare = this.#bare.get(runtime);
    if (bare === undefined) {
      const server = await startProgram(runtime, "bare_idle", { root: this.#folder.root });
      bare = (await this.#grow(server, [])).growthBytes;
      this.#bare.set(runtime, bare);
    }
    return bare;
  }

  #startOurs(runtime: ServeRuntime, engine: Engine): Promise<Running> {
    const limits = { maxConnections: this.#readers + 1000, maxActive: this.#readers + 1000 };
    return startOurs(runtime, { options: { root: this.#folder.root, ...limits }, engine });
  }

  /** The server ends with it. */
  async #grow(
    server: Running,
    warmUp: readonly LoadClass[],
  ): Promise<{ readonly beforeMiB: number; readonly growthBytes: number }> {
    const { port } = server;
    try {
      const warm = [...warmUp, { ...READER, clients: WARM_READERS }];
      await runLoad(this.#program, { port, classes: warm, from: 1, to: 3 });
      await sleep(2000);
      const before = memoryOf(server.pids()).rssBytes;
      const samples: number[] = [];
      const classes = [{ ...READER, clients: this.#readers }];
      await runLoad(this.#program, { port, classes, from: 3, to: 8 }, {
        counting: async () => {
          for (let times = 0; times < 4; times++) {
            await sleep(1000);
            samples.push(memoryOf(server.pids()).rssBytes);
          }
        },
      });
      const steady = samples.sort((a, b) => a - b)[Math.floor(samples.length / 2)]!;
      return { beforeMiB: before / 2 ** 20, growthBytes: (steady - before) / this.#readers };
    } finally {
      await server.end();
    }
  }
}
