import { goOn, letGo, standStill, type StillSocket } from "../../handoff/still_socket.ts";
import type { ServedFile } from "../../files/mod.ts";
import {
  type Clock,
  connectionOf,
  delay,
  JackfieldError,
  type Socket,
  unsupported,
} from "../../transport/mod.ts";
import type { Connection } from "../connection.ts";
import type { ManagedDownload } from "../download.ts";
import type { DownloadResult } from "../download_request.ts";
import type { DeskMoves } from "./desk_moves.ts";
import { describeDownload } from "./moved_download.ts";
import type { HeldConnection, HoldConnection } from "./predecessor.ts";
import type { StillMoved } from "./still_moved.ts";
import type { Successor } from "./successor.ts";
import type { MovedConnection } from "./words.ts";

/** How long all stand still because a piece of one is under way. */
const STILL_MS = 200;
/** What could not move is looked at again so often. */
const AGAIN_MS = 250;

/** What moves need of a server. */
export interface ServerParts {
  /** Its connections. */
  readonly connections: ReadonlySet<Connection>;
  /** The downloads of its manager; `undefined` where they are sent in another thread or process. */
  readonly desk: DeskMoves | undefined;
  /** Times the wait for pieces. */
  readonly clock: Clock;
  /** Serve a connection that has had so many requests. */
  serve(socket: Socket, requests: number): void;
  /** The same for one on which the manager is sending. */
  serveAfter(taken: Promise<DownloadResult>, requests: number): void;
}

/** Moves the connections of a server to another process, and takes up those that come from one. */
export class ServerMoves {
  #parts: ServerParts;
  /** Downloads that the other process cannot go on with, such as those of a file that has changed. */
  #staying = new WeakSet<ManagedDownload>();

  /** Nothing moves. */
  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /**
   * Move what can stand still now; resolves to how many connections went. When it rejects, none has
   * gone, and all go on here.
   *
   * @throws {JackfieldError} What {@linkcode Successor.give} throws.
   */
  async move(successor: Successor): Promise<number> {
    const batch = await this.#standStill(successor);
    if (batch.length === 0) return 0;
    let taken: ReadonlySet<number>;
    try {
      taken = await successor.give(batch);
    } catch (error) {
      await Promise.all(batch.map((one) => this.#resume(one)));
      throw error;
    }
    await Promise.all(
      batch.map((one, id) => taken.has(id) ? this.#left(one) : this.#stay(one)),
    );
    return taken.size;
  }

  /** Move what is left, as soon as it can be, until nothing is or `isOver`. Never rejects. */
  async moveRest(successor: Successor, isOver: () => boolean): Promise<void> {
    try {
      while (this.#parts.connections.size > 0 && !isOver()) {
        await this.move(successor);
        await delay(this.#parts.clock, AGAIN_MS);
      }
    } catch {
      // It has ended: what is left is finished here.
    }
  }

  /** Hold what comes from another process, silent. */
  readonly hold: HoldConnection = async (moved, parked): Promise<HeldConnection> => {
    const { download } = moved;
    let held: ServedFile | undefined;
    try {
      if (download !== undefined) held = await this.#desk.reopen(download);
    } catch (error) {
      parked.drop();
      throw error;
    }
    const drop = () => {
      held?.release();
      parked.drop();
    };
    return { own: () => void this.#own({ facts: moved.facts, parked }, moved, held), drop };
  };

  async #standStill(successor: Successor): Promise<readonly StillMoved[]> {
    const { connections, desk } = this.#parts;
    const refusal = (connection: unknown) => successor.refusal(connection);
    const mayMove = (socket: Socket) => refusal(connectionOf(socket)) === undefined;
    const mayGo = (download: ManagedDownload) =>
      !this.#staying.has(download) && mayMove(download.socket);
    const batch: StillMoved[] = [];
    for (const download of await desk?.stop(mayGo, STILL_MS) ?? []) {
      try {
        const still = await standStill(download.socket, { refusal });
        const requests = this.#requestsOf(download.result);
        const described = describeDownload(download);
        batch.push({
          still,
          moved: { facts: still.facts, requests, download: described },
          download,
        });
      } catch {
        desk!.adopt(download, download.socket); // It has broken: the next write tells why.
      }
    }
    for (const connection of [...connections]) {
      const { waiting, requests } = connection;
      if (waiting === undefined || !mayMove(waiting.socket)) continue;
      try {
        const still = await standStill(waiting.socket, { unread: waiting.unread, refusal });
        const moved: MovedConnection = { facts: still.facts, requests, download: undefined };
        batch.push({ still, moved, download: undefined });
      } catch {
        // It has broken, or does something else just now: it stays.
      }
    }
    return batch;
  }

  /** The other process does not want it, and never will. */
  #stay(one: StillMoved): Promise<void> {
    if (one.download !== undefined) this.#staying.add(one.download);
    return this.#resume(one);
  }

  /** It was not taken: it goes on as if nothing had been. */
  async #resume({ still, moved, download }: StillMoved): Promise<void> {
    try {
      const socket = await goOn(still);
      if (download === undefined) this.#parts.serve(socket, moved.requests);
      else this.#desk.adopt(download, socket);
    } catch (error) {
      if (download !== undefined) this.#desk.giveUp(download, error);
    }
  }

  #left({ still, download }: StillMoved): void {
    letGo(still);
    if (download === undefined) return;
    const message =
      `Cannot send "${download.request.target}" here: another process goes on with it`;
    const error = new JackfieldError("DOWNLOAD_MOVED", message, { operation: "hand over" });
    this.#desk.giveUp(download, error);
  }

  async #own(
    still: StillSocket,
    { requests, download: moved }: MovedConnection,
    held: ServedFile | undefined,
  ): Promise<void> {
    try {
      const socket = await goOn(still);
      if (moved === undefined) return this.#parts.serve(socket, requests);
      const download = this.#desk.restore(moved, held, socket);
      this.#parts.serveAfter(download.result, requests);
      this.#desk.adopt(download, socket);
    } catch {
      held?.release(); // The client has gone meanwhile.
    }
  }

  get #desk(): DeskMoves {
    const { desk } = this.#parts;
    if (desk === undefined) throw unsupported("handOver", "its downloads are sent elsewhere");
    return desk;
  }

  #requestsOf(taken: Promise<DownloadResult>): number {
    for (const connection of this.#parts.connections) {
      if (connection.taken === taken) return connection.requests;
    }
    return 0;
  }
}
