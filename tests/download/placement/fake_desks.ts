// A front and the desks that it starts, all in one program: links in memory whose messages arrive
// when a test says so, a clock that waits, and desks that die on command.
import { isJackfieldError, type JackfieldError, type Socket } from "../../../mod.ts";
import { DeskHost } from "../../../src/download/desk_host.ts";
import type { DownloadManagerOptions } from "../../../src/download/download_options.ts";
import { completeRequest, type DownloadResult } from "../../../src/download/download_request.ts";
import { InlineDesk } from "../../../src/download/inline_desk.ts";
import { RemoteDesk } from "../../../src/download/remote_desk.ts";
import type { LineSource, OpenLink } from "../../../src/download/remote_line.ts";
import { readSettings } from "../../../src/download/settings.ts";
import { type MemoryTransport, memoryTransport, VirtualClock } from "../../../src/testing/mod.ts";
import { FakeKernel, type FakeLink, fakeLinks } from "../../handoff/fake_owners.ts";
import { pattern } from "../../transport/tools.ts";
import { MemoryFiles } from "../memory_files.ts";
import { Client } from "../tools.ts";

/** The files that there are. */
export const FILES: Readonly<Record<"small" | "large", Uint8Array>> = {
  small: pattern(1000, 1),
  large: pattern(60_000, 2),
};

/** One connection: the client, and the socket that a front has accepted. */
export interface Pair {
  readonly client: Client;
  readonly front: Socket;
}

/** How a front finds its desks. */
export interface FakeDesksOptions {
  readonly mayStay?: boolean;
  readonly random?: () => number;
  readonly kind?: "thread" | "process";
}

/** A front, and the desks that it starts. */
export class FakeDesks {
  readonly clock: VirtualClock = new VirtualClock();
  readonly kernel: FakeKernel = new FakeKernel();
  readonly files: MemoryFiles = new MemoryFiles(FILES);
  readonly network: MemoryTransport;
  readonly desk: RemoteDesk;
  /** What `onError` was told. */
  readonly errors: unknown[] = [];
  /** When each desk was started. */
  readonly startedMs: number[] = [];
  /** Whether desks keep the program running. */
  readonly refs: boolean[] = [];
  /** Throws, or returns, when a desk is started. */
  beforeStart: () => void | Promise<void> = () => {};
  /** Whether the present desk is stuck, and the system says nothing of its end either. */
  isMute = false;
  /** How many messages have come from desks. */
  arrived = 0;
  #links: { near: FakeLink; far: FakeLink } | undefined;

  /** Nothing is started. */
  constructor(
    options: Partial<DownloadManagerOptions> = {},
    { mayStay = false, random = () => 1, kind = "process" }: FakeDesksOptions = {},
  ) {
    const { clock, kernel, files } = this;
    this.network = memoryTransport({ clock, pipeBytes: 2000, host: { files } });
    const all: DownloadManagerOptions = {
      transport: this.network,
      root: "/root",
      clock,
      onError: (error) => this.errors.push(error),
      ...options,
    };
    const settings = readSettings(all);
    const source: LineSource = {
      kind,
      endsWhenIdle: false,
      isOwner: true,
      open: async (): Promise<OpenLink> => {
        this.startedMs.push(clock.now());
        await this.beforeStart();
        const links = this.#links = fakeLinks(kind, kernel);
        new DeskHost(links.far, {
          transport: this.network,
          clock,
          descriptors: kind === "thread" ? kernel.descriptors("far") : undefined,
        });
        return {
          link: links.near,
          descriptors: kind === "thread" ? kernel.descriptors("near") : undefined,
          end: () => {
            if (links.far.isAlive && !this.isMute) this.die({ reason: "terminated" }, links);
            return links.near.ended;
          },
          ref: (isNeeded) => void this.refs.push(isNeeded),
        };
      },
    };
    const here = new InlineDesk(all, settings);
    this.desk = new RemoteDesk({ options: all, settings, source, here, mayStay, clock, random });
  }

  /** Whether a desk is alive. */
  get isAlive(): boolean {
    return this.#links?.far.isAlive === true;
  }

  /** The present desk dies: the system closes what it has, and what it had sent still arrives. */
  die(
    end: { reason: "terminated" | "exited" | "failed"; signal?: string } = {
      reason: "failed",
      signal: "SIGKILL",
    },
    links: { near: FakeLink; far: FakeLink } = this.#links!,
  ): void {
    links.far.isAlive = false;
    this.kernel.bury("far");
    links.far.arriving = [];
    while (links.near.step());
    links.near.end(end);
  }

  /** Let one message arrive, at whichever end; whether there was one. */
  step(): boolean {
    const links = this.#links;
    if (links === undefined || this.isMute) return false;
    if (links.near.step()) {
      this.arrived++;
      return true;
    }
    return links.far.isAlive && links.far.step();
  }

  /** Let everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4;) {
      await this.clock.settle();
      if (this.step() || this.#endTurns()) quiet = 0;
      else quiet++;
    }
  }

  /** What threads say together at the end of a turn. */
  #endTurns(): boolean {
    if (this.#links === undefined) return false;
    const { near, far } = this.#links;
    return [near.endTurn(), far.endTurn()].includes(true);
  }

  /** Let time pass, a little at a time. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.settle();
      await this.clock.advance(Math.min(stepMs, ms - passed));
    }
    await this.settle();
  }

  /** A connection that a front has accepted. */
  async accept(): Promise<Pair> {
    const listener = await this.network.listen();
    const socket = await this.network.connect(listener.address);
    const front = this.kernel.adopt(await listener.accept(), "near");
    await listener.close();
    return { client: new Client(socket), front };
  }

  /** Take a request on a socket. */
  take(
    front: Socket,
    target: string,
    init: { keepAlive?: boolean; unread?: Uint8Array } = {},
  ): Promise<DownloadResult> {
    const request = completeRequest({ target, keepAlive: true, ...init }, front.remoteAddress);
    return this.desk.take(front, request, init.unread);
  }

  /** What `onError` was told, as codes. */
  get codes(): string[] {
    return this.errors.map((error) => isJackfieldError(error) ? error.code : String(error));
  }

  /** Whether anything is left. */
  get left(): number[] {
    const { active, queued } = this.desk.stats();
    return [active, queued, this.kernel.copies, this.files.openCount];
  }
}

/** What became of a promise by now. */
export function watched<T>(promise: Promise<T>): { value?: T; error?: JackfieldError } {
  const seen: { value?: T; error?: JackfieldError } = {};
  promise.then((value) => seen.value = value, (error) => seen.error = error);
  return seen;
}
