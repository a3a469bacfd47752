import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Cell, secondsOf, takesPart } from "./cells.ts";
import type { Contender } from "./contender_process.ts";
import type { Competitor } from "./contenders.ts";
import type { CellRuns } from "./goals.ts";
import { type LoadTools, measureCell, type Measured } from "./measure_cell.ts";
import type { WorkFolder } from "./work_folder.ts";

/** What the rounds are made of. */
export interface RoundsPlan {
  readonly servers: readonly Competitor[];
  readonly cells: readonly Cell[];
  readonly rounds: number;
  /** Of one cell with one server in one round. */
  readonly seconds: number;
  readonly folder: WorkFolder;
  readonly tools: LoadTools;
  /** A round begins; number 0 warms up. */
  readonly onRound: (round: number) => void;
  /** A server failed in a cell, which it does not take part in from then on. */
  readonly onFailure: (server: string, cell: string, error: Error) => void;
}

/** The rounds, and the servers that run for them. */
export class ServeRounds {
  #plan: RoundsPlan;
  /** With TLS and without are two. */
  #running = new Map<string, Contender>();
  #engines = new Set<string>();
  #isEnded = false;

  constructor(plan: RoundsPlan) {
    this.#plan = plan;
  }

  /** What our servers have said of their engines: which one runs, and why. */
  get engines(): readonly string[] {
    return [...this.#engines];
  }

  /** Every cell with every server, one after the other, round by round. */
  async measure(): Promise<readonly CellRuns[]> {
    const { servers, cells, rounds, seconds, tools, onRound, onFailure } = this.#plan;
    const runs = cells.flatMap((cell) =>
      servers.filter((server) => takesPart(server, cell))
        .map((server) => ({ cell, server, rounds: [] as Measured[] }))
    );
    const failed = new Set<(typeof runs)[number]>();
    for (let round = 0; round <= rounds; round++) {
      onRound(round);
      // Each round in the other order, so that nobody always comes behind the same one.
      const order = round % 2 === 0 ? runs : [...runs].reverse();
      for (const run of order) {
        if (failed.has(run)) continue;
        if (this.#isEnded) return [];
        try {
          const contender = await this.#contenderFor(run.server, run.cell);
          const length = secondsOf(run.cell, round === 0 ? 1 : seconds);
          const measured = await measureCell(contender, run.cell, length, tools);
          if (round > 0) run.rounds.push(measured);
        } catch (error) {
          onFailure(run.server.name, run.cell.name, error as Error);
          failed.add(run);
        }
      }
    }
    this.#noteEngines();
    await this.end();
    return runs.filter((run) => !failed.has(run));
  }

  /** End all servers, and what is being measured. */
  async end(): Promise<void> {
    this.#isEnded = true;
    const all = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(all.map((contender) => contender.end()));
  }

  /** Started when it is needed first, and kept for all rounds. */
  async #contenderFor(server: Competitor, { tls }: Cell): Promise<Contender> {
    const { root, tls: files } = this.#plan.folder;
    const key = tls ? `${server.name}, TLS` : server.name;
    let contender = this.#running.get(key);
    if (contender === undefined) {
      contender = await server.start(tls ? { root, tls: files } : { root });
      this.#running.set(key, contender);
      if (!tls) await assertServes(contender.port, root);
    }
    return contender;
  }

  #noteEngines(): void {
    for (const [name, { said = [] }] of this.#running) {
      const lines = said.filter((line) => /\bengine\b/i.test(line));
      for (const line of lines) this.#engines.add(`${name}: ${line.trim()}`);
    }
  }
}

/** Whether the right bytes come; the loads only count them. */
async function assertServes(port: number, root: string): Promise<void> {
  const name = "64k.bin";
  const answer = await fetch(`http://127.0.0.1:${port}/${name}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (readFileSync(join(root, name)).equals(bytes)) return;
  throw new Error(`it sent ${bytes.byteLength} wrong bytes with status ${answer.status}`);
}
