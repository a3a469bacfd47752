import type { Clock, Socket } from "../transport/mod.ts";
import type { Answer } from "./answers.ts";
import type { DownloadResult } from "./download_request.ts";
import { lingeringClose } from "./linger.ts";

/** Connections that have no download any more: they are told something, or are closing. */
export class Farewells {
  #clock: Clock;
  #timeoutMs: number;
  #sockets = new Set<Socket>();

  /** A client that does not take an answer within `timeoutMs` goes without. */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** How many there are. */
  get size(): number {
    return this.#sockets.size;
  }

  /**
   * Send an answer that needs no file.
   *
   * @throws What broke the connection.
   */
  async answer(
    socket: Socket,
    { status, output }: Answer,
    keepAlive: boolean,
  ): Promise<DownloadResult> {
    this.#sockets.add(socket);
    const stop = this.#clock.schedule(this.#timeoutMs, () => socket.abort());
    try {
      await socket.write(output.whole());
      stop();
      if (!keepAlive) await lingeringClose(socket, this.#clock);
      const result = { status, bytes: output.length - output.headBytes };
      return { ...result, socket: keepAlive ? socket : undefined };
    } finally {
      stop();
      this.#sockets.delete(socket);
    }
  }

  /** Close a connection to which everything was sent. Never rejects. */
  async close(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    // With bytes unread a plain close would reset the connection before the client has the rest.
    if (socket.hasUnread) await lingeringClose(socket, this.#clock);
    else await socket.close();
    this.#sockets.delete(socket);
  }

  /** End all of them now. */
  abort(reason: unknown): void {
    for (const socket of this.#sockets) {
      // One that is closing has sent everything: only its end is on the way.
      if (socket.state !== "closing") socket.abort(reason);
    }
  }
}
