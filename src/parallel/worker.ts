import type { SocketLease } from "../pool/mod.ts";
import { isJackfieldError, JackfieldError } from "../transport/mod.ts";
import { type Answer, ask } from "./answer.ts";
import { digestIn, sentRange } from "./answer_check.ts";
import { askedWaitMs, waitAfter } from "./backoff.ts";
import type { Begun, Crew } from "./crew.ts";
import {
  badResponse,
  brokenTooOften,
  fileChanged,
  isBroken,
  isBusyStatus,
  isNotConnected,
  statusError,
  wrongDigest,
} from "./failures.ts";
import { Pursuit } from "./pursuit.ts";
import type { SocketWatch } from "./socket_watch.ts";
import type { Piece } from "./unit_plan.ts";
import { checkValidator } from "./validators.ts";

/** How much is read from a socket and written at a time; the memory of a transfer, per socket. */
export const CHUNK_BYTES: number = 512 * 1024;
/** A request should take so many times as long as its trip there and back, */
const TRIPS = 16;
/** and as long as this, in milliseconds: each of them costs both ends work of its own. */
const REQUEST_MS = 100;
/** Nobody asks for more at once, so that there is something to take over in parts. */
const MOST_BYTES = 256 * 2 ** 20;
/** An attempt that brought so much was no failure of the piece. */
const GOOD_BYTES = 64 * 1024;

/** The server does not answer now; another worker may have a place there. */
class TurnedAway extends Error {
  readonly waitMs: number;

  constructor(cause: unknown, waitMs: number) {
    super("turned away", { cause });
    this.waitMs = waitMs;
  }
}

/** The bytes of one answer are not those of its digest. */
class Damaged extends Error {}

/** One of the crew: fetches piece after piece, each on a socket that the pool lends. */
export class Worker {
  /** How fast its last piece went. */
  bytesPerSecond = 0;
  /** How long its last answer took to begin. */
  latencyMs = 0;
  /** How often what it fetches next was taken over as a whole. */
  takeovers = 0;
  #crew: Crew;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  /** Times in a row that it got no socket, or was turned away. */
  #refusals = 0;

  /** Works when it is run. */
  constructor(crew: Crew) {
    this.#crew = crew;
  }

  /** Fetch until nothing is left; the first piece may have been asked for already. */
  async run(begun: Begun | undefined): Promise<void> {
    const crew = this.#crew;
    const { plan, output, validator } = crew.options;
    if (begun !== undefined) {
      const { lease, watch, piece, answer } = begun;
      if (!await this.#attempt(lease, watch, piece, answer)) return;
    }
    while (crew.isGoing) {
      if (!crew.hasFree && crew.theftFor(this) === undefined) {
        await crew.wait();
        continue;
      }
      if (validator === undefined) throw badResponse("the only part of the file is incomplete");
      const lease = await this.#acquire();
      if (lease === "again") continue;
      if (lease === "retired") return;
      this.takeovers = 0;
      const piece = plan.claim(this.#wantedBytes(), output.limit) ?? crew.steal(this);
      if (piece === undefined) {
        lease.release();
        if (crew.isGoing) await crew.wait();
        continue;
      }
      const watch = crew.options.control.watch(lease.socket);
      if (!await this.#attempt(lease, watch, piece, undefined)) return;
    }
  }

  /** A socket; or whether to try again, or to leave the work to the others. */
  async #acquire(): Promise<SocketLease | "again" | "retired"> {
    const crew = this.#crew;
    const { pool } = crew.options.site;
    try {
      for (;;) {
        const lease = await pool.acquire({ signal: crew.ended, timeoutMs: Infinity });
        if (crew.mayReuse || !crew.used.has(lease.socket)) return lease;
        lease.discard();
      }
    } catch (error) {
      if (!this.#crew.isGoing) return "again";
      if (!isNotConnected(error)) throw error;
      return await this.#refused(error, 0) ? "again" : "retired";
    }
  }

  /** It got no socket, or no answer: wait and try again, `false` to leave it to the others. */
  async #refused(error: unknown, askedMs: number): Promise<boolean> {
    const { options } = this.#crew;
    if (this.#refusals++ < options.retries) {
      await this.#crew.pause(Math.max(waitAfter(this.#refusals, options), askedMs));
      return true;
    }
    if (!this.#crew.retire()) return false;
    if (isNotConnected(error)) this.#crew.vanished(error);
    else throw error;
    return false;
  }

  /** Fetch a piece; `false` when this worker has nothing more to do. */
  async #attempt(
    lease: SocketLease,
    watch: SocketWatch,
    piece: Piece,
    answer: Answer | undefined,
  ): Promise<boolean> {
    const crew = this.#crew;
    const { plan, control } = crew.options;
    const pursuit = new Pursuit(piece, () => lease.socket.abort());
    pursuit.takeovers = this.takeovers;
    crew.pursuits.set(piece, pursuit);
    const { start } = piece;
    let failure: unknown;
    try {
      const given = answer ?? await this.#ask(watch, piece);
      const { clock } = control;
      const beganMs = clock.now();
      const { at } = piece;
      await this.#receive(watch, given, piece);
      // Without the wait for the answer, which is a figure of its own.
      const tookMs = clock.now() - beganMs;
      if (tookMs >= 1) this.bytesPerSecond = (piece.at - at) / tookMs * 1000;
      this.#refusals = 0;
      if (given.isReusable && crew.mayReuse) lease.release();
    } catch (error) {
      failure = error;
    } finally {
      crew.pursuits.delete(piece);
      plan.giveBack(piece);
      watch.end();
      lease.discard(); // Unless it was given back in good order.
      crew.wake();
    }
    if (failure === undefined || control.isOver) return crew.isGoing;
    // Another worker has taken the rest over, and ended the connection for it.
    if (piece.at === piece.end && isBroken(failure)) return true;
    return await this.#failed(failure, start, piece);
  }

  /** What to do about a piece that is not complete; throws what ends the transfer. */
  async #failed(error: unknown, start: number, piece: Piece): Promise<boolean> {
    const crew = this.#crew;
    const { options } = crew;
    if (error instanceof TurnedAway) return await this.#refused(error.cause, error.waitMs);
    if (!isBroken(error) && !(error instanceof Damaged)) throw error;
    const enough = Math.min(GOOD_BYTES, (piece.end - start) / 4);
    if (piece.settled - start >= enough) crew.failures.delete(start);
    else {
      const failures = (crew.failures.get(start) ?? 0) + 1;
      crew.failures.delete(start);
      if (failures > options.retries) {
        throw error instanceof Damaged ? error.cause : brokenTooOften(error, failures);
      }
      // The next try begins where this one has come to.
      crew.failures.set(piece.settled, failures);
      if (failures > 1) await crew.pause(waitAfter(failures - 1, options));
    }
    return true;
  }

  async #ask(watch: SocketWatch, piece: Piece): Promise<Answer> {
    const { used, options } = this.#crew;
    const { site, validator, control, wantsUnitDigest } = options;
    const { socket } = watch;
    const range = { start: piece.at, end: piece.end };
    const startedMs = control.clock.now();
    try {
      const answer = await ask(watch, site, { range, ifRange: validator!.value, wantsUnitDigest });
      this.latencyMs = control.clock.now() - startedMs;
      used.add(socket);
      return answer;
    } catch (cause) {
      // Behind an answer may have come more than it announced: from here on each connection is new.
      if (!used.has(socket) || !isJackfieldError(cause, "HTTP_BAD_RESPONSE")) throw cause;
      this.#crew.mayReuse = false;
      const { message } = cause;
      throw new JackfieldError("SOCKET_FAILED", message, { cause, operation: "read" });
    }
  }

  /** The body of an answer, to its place. */
  async #receive(watch: SocketWatch, answer: Answer, piece: Piece): Promise<void> {
    const { plan, output, control, meter, pace, hash } = this.#crew.options;
    const sent = this.#check(answer, piece);
    const { body } = answer;
    const expected = digestIn(answer.head, "content-digest");
    if (expected !== undefined && await this.#isThere(piece, sent.end, expected)) return;
    const digest = expected === undefined ? undefined : hash.sha256();
    const buffer = this.#buffer ??= new Uint8Array(CHUNK_BYTES);
    try {
      while (piece.at < Math.min(piece.end, sent.end)) {
        const room = Math.min(buffer.byteLength, sent.end - piece.at);
        const allowed = pace === undefined ? room : await pace.take(room);
        const into = allowed === buffer.byteLength ? buffer : buffer.subarray(0, allowed);
        const count = await body.read(into);
        if (count === null) throw badResponse("it ended before the bytes that it announced");
        pace?.giveBack(allowed - count);
        control.assertGoing();
        const at = piece.at;
        const wanted = plan.advance(piece, count);
        const bytes = wanted === buffer.byteLength ? buffer : buffer.subarray(0, wanted);
        digest?.update(bytes);
        await output.write(bytes, at);
        meter.add(watch.socket, wanted);
        if (digest === undefined && plan.hasUnit(piece)) await this.#settle(watch, piece);
      }
      // A chunked body has an end of its own, and what comes before it was not asked for.
      if (piece.at === sent.end && body.hasOwnEnd && await body.read(new Uint8Array(1)) !== null) {
        throw badResponse("it is longer than it announced");
      }
      // Of an answer that was cut short nobody knows whether its digest holds.
      if (digest !== undefined && piece.at === sent.end) {
        const actual = digest.hex();
        if (actual !== expected) {
          const cause = wrongDigest("the server, for a part of it,", expected!, actual);
          throw new Damaged("damaged", { cause });
        }
      }
    } catch (error) {
      // What came before the connection broke is as good as what comes after it; with a digest of its
      // own it is not known to be.
      if (digest === undefined && isBroken(error)) await this.#settle(watch, piece);
      else meter.add(watch.socket, piece.settled - piece.at);
      throw error;
    }
    await this.#settle(watch, piece);
  }

  async #settle(watch: SocketWatch, piece: Piece): Promise<void> {
    const { plan, output, meter, hashing } = this.#crew.options;
    const { settled, at } = piece;
    if (settled === at) return;
    const units = plan.settle(piece);
    if (units > 0) meter.finish(watch.socket, units);
    const { frontier } = plan;
    await output.settled(settled, at, frontier);
    hashing?.advance(frontier);
    if (plan.isComplete) this.#crew.end();
  }

  /** What an answer carries; throws when it is not a part of this file, or none at all. */
  #check({ head }: Answer, piece: Piece): { readonly end: number } {
    const { plan, validator } = this.#crew.options;
    const { status, fields } = head;
    if (isBusyStatus(status)) {
      throw new TurnedAway(statusError(status), askedWaitMs(fields.get("retry-after")));
    }
    // If-Range does not hold any more, or the file is too short now.
    if (status === 200 || status === 416) throw fileChanged();
    if (status !== 206) throw statusError(status);
    const sent = sentRange(head, { start: piece.at, end: piece.end });
    if (validator !== undefined) checkValidator(fields, validator);
    if (sent.size === undefined) throw badResponse("it does not say how many bytes the file has");
    if (sent.size !== plan.size) throw fileChanged();
    return sent;
  }

  /** Whether the bytes are there already: then they need not come. */
  async #isThere(piece: Piece, end: number, digest: string): Promise<boolean> {
    const { plan, isThere } = this.#crew.options;
    if (isThere === undefined || end < piece.end || !await isThere(piece.at, end, digest)) {
      return false;
    }
    plan.advance(piece, end - piece.at);
    plan.settle(piece);
    if (plan.isComplete) this.#crew.end();
    return true;
  }

  /** About how much to ask for at once: one unit, or more where that would soon be there. */
  #wantedBytes(): number {
    const { plan, isUnitFixed, sockets } = this.#crew.options;
    if (isUnitFixed) return plan.unitBytes;
    const worthMs = Math.max(this.latencyMs * TRIPS, REQUEST_MS);
    const tripBytes = this.bytesPerSecond * worthMs / 1000;
    // Nearly an equal part for everyone: what is uneven in the end is taken over.
    const share = plan.freeBytes / (1.5 * sockets);
    return Math.max(plan.unitBytes, Math.min(tripBytes, share, MOST_BYTES));
  }
}
