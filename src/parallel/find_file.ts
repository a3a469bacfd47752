import type { SocketLease } from "../pool/mod.ts";
import { type Answer, ask, type Question, type Site } from "./answer.ts";
import { assertNotCoded, digestIn, type SentRange, sentRange } from "./answer_check.ts";
import { askedWaitMs, type BackoffOptions, waitAfter } from "./backoff.ts";
import type { Control } from "./control.ts";
import {
  badResponse,
  brokenTooOften,
  isBroken,
  isBusyStatus,
  isNotConnected,
  statusError,
  vanished,
} from "./failures.ts";
import { type Interval, Intervals } from "./intervals.ts";
import type { Leftover } from "./output.ts";
import type { SocketWatch } from "./socket_watch.ts";
import { checkValidator, type Validator, validatorOf } from "./validators.ts";

/** Why a file comes over one socket only. */
export type OneSocketReason = "no-ranges" | "no-validator" | "no-length";

/** The first answer that carries bytes of the file, which have not been read. */
export interface Found {
  /** Where the file is, after all redirects. */
  readonly site: Site;
  /** The socket of the answer. */
  readonly lease: SocketLease;
  /** Looks after the socket. */
  readonly watch: SocketWatch;
  /** The answer. */
  readonly answer: Answer;
  /** The digest of the whole file, if the server says one. */
  readonly digest: string | undefined;
  /** What the answer carries, when the file can be fetched in parts; else all of it. */
  readonly part: FoundPart | undefined;
  /** Why there are no parts. */
  readonly reason: OneSocketReason | undefined;
}

/** An answer that carries a part. */
export interface FoundPart {
  /** The bytes. */
  readonly range: Interval;
  /** Bytes of the file. */
  readonly size: number;
  /** What other parts are compared by; not needed when there is only one. */
  readonly validator: Validator | undefined;
  /** What an earlier run has left, if the file is still the same. */
  readonly leftover: Leftover | undefined;
}

/** What {@linkcode findFile} is given. */
export interface FindOptions extends BackoffOptions {
  /** Where to begin. */
  readonly site: Site;
  /** Where a redirect leads; ends the site before. */
  readonly move: (from: Site, location: string | undefined) => Promise<Site>;
  /** Whether the transfer goes on. */
  readonly control: Control;
  /** Bytes of the first part. */
  readonly firstBytes: number;
  /** What to go on with, if the file is still the same. */
  readonly leftover: Leftover | undefined;
  /** Why not to ask for a part. */
  readonly reason: OneSocketReason | undefined;
  /** Whether a digest of the file is wanted. */
  readonly wantsDigest: boolean;
  /** Whether digests of the parts are wanted. */
  readonly wantsUnitDigest: boolean;
  /** How many redirects are followed. */
  readonly maxRedirects: number;
  /** How often a broken connection or a busy server is tried again. */
  readonly retries: number;
}

/** What to do about an answer. */
type Verdict =
  | { readonly found: Pick<Found, "part" | "reason"> }
  | { readonly location: string | undefined }
  | { readonly wholeBecause: OneSocketReason }
  | { readonly isNew: true }
  | { readonly waitMs: number; readonly status: number };

/** Statuses of redirects that a GET follows (RFC 9110, section 15.4). */
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Ask until an answer carries the file, or its first missing part: through redirects, past busy
 * servers, and without a range where parts could not be put together for certain.
 */
export async function findFile(options: FindOptions): Promise<Found> {
  const { control, maxRedirects, retries } = options;
  let { site, leftover, reason } = options;
  let redirects = 0;
  for (let failures = 0;;) {
    const range = reason === undefined ? firstRange(leftover, options.firstBytes) : undefined;
    let error: unknown;
    let waitMs = 0;
    let lease: SocketLease | undefined;
    let watch: SocketWatch | undefined;
    let isFound = false;
    try {
      control.assertGoing();
      lease = await site.pool.acquire({ signal: control.signal, timeoutMs: Infinity });
      watch = control.watch(lease.socket);
      const { wantsDigest, wantsUnitDigest } = options;
      const ifRange = leftover?.validator.value;
      const question: Question = { range, ifRange, wantsDigest, wantsUnitDigest };
      const answer = await ask(watch, site, question);
      const verdict = judge(answer, range, leftover, reason);
      if ("found" in verdict) {
        isFound = true;
        const digest = digestIn(answer.head, "repr-digest");
        return { site, lease, watch, answer, digest, ...verdict.found };
      }
      if ("location" in verdict) {
        if (++redirects > maxRedirects) {
          throw badResponse(`more than ${maxRedirects} redirects, the last from ${site.url.href}`);
        }
        site = await options.move(site, verdict.location);
        continue;
      }
      if ("wholeBecause" in verdict) {
        reason = verdict.wholeBecause;
        continue;
      }
      if ("isNew" in verdict) {
        leftover = undefined;
        continue;
      }
      error = statusError(verdict.status);
      waitMs = verdict.waitMs;
    } catch (cause) {
      control.assertGoing();
      // Without any connection before, there is nothing to hope for.
      const isTried = isBroken(cause) || (failures > 0 && isNotConnected(cause));
      if (!isTried) throw cause;
      error = cause;
    } finally {
      if (!isFound) {
        watch?.end();
        lease?.discard(); // Its body is left unread.
      }
    }
    if (failures++ >= retries) {
      if (isBroken(error)) throw brokenTooOften(error, failures);
      throw isNotConnected(error) ? vanished(error) : error;
    }
    await control.delay(Math.max(waitAfter(failures, options), waitMs));
  }
}

function judge(
  { head }: Answer,
  asked: Interval | undefined,
  leftover: Leftover | undefined,
  reason: OneSocketReason | undefined,
): Verdict {
  const { status, fields } = head;
  if (REDIRECTS.includes(status)) return { location: fields.get("location") };
  if (isBusyStatus(status)) return { waitMs: askedWaitMs(fields.get("retry-after")), status };
  if (status === 206 && asked !== undefined) return judgePart(head, asked, leftover);
  if (leftover !== undefined && (status === 200 || status === 416)) return { isNew: true };
  // Also what a server says of an empty file: no part of it can be had.
  if (status === 416 && asked !== undefined) return { wholeBecause: "no-ranges" };
  if (status !== 200) {
    if (status === 206) throw badResponse("it is a part, and the whole was asked for", status);
    throw statusError(status);
  }
  assertNotCoded(head);
  return { found: { part: undefined, reason: reason ?? "no-ranges" } };
}

function judgePart(
  head: Answer["head"],
  asked: Interval,
  leftover: Leftover | undefined,
): Verdict {
  const range: SentRange = sentRange(head, asked);
  const { start, end, size } = range;
  if (leftover !== undefined) {
    if (size !== leftover.size) return { isNew: true };
    try {
      checkValidator(head.fields, leftover.validator);
    } catch {
      return { isNew: true };
    }
    const part = { range: { start, end }, size, validator: leftover.validator, leftover };
    return { found: { part, reason: undefined } };
  }
  if (size === undefined) return { wholeBecause: "no-length" };
  if (end > size) throw badResponse(`bytes to ${end} of a file of ${size}`);
  const validator = validatorOf(head.fields);
  const isAll = start === 0 && end === size;
  // Parts of two contents would make one broken file, and nobody would notice.
  if (validator === undefined && !isAll) return { wholeBecause: "no-validator" };
  const part = { range: { start, end }, size, validator, leftover: undefined };
  return { found: { part, reason: undefined } };
}

/** What to ask for first: of a file that is there already, its last byte, to see that it is the same. */
function firstRange(leftover: Leftover | undefined, firstBytes: number): Interval {
  if (leftover === undefined) return { start: 0, end: firstBytes };
  const { size, unitBytes, done } = leftover;
  const there = new Intervals();
  for (const { start, end } of done) there.add(start, end);
  const first = there.missing(size)[0];
  if (first === undefined) return { start: size - 1, end: size };
  const unitEnd = first.start - first.start % unitBytes + unitBytes;
  return { start: first.start, end: Math.min(first.end, unitEnd) };
}
