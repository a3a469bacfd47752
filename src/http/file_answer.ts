import { chooseCoding } from "./accept_encoding.ts";
import { evaluateConditions, rangeCounts, type Validators } from "./conditions.ts";
import {
  chooseDigest,
  type DigestAlgorithm,
  type Digests,
  formatDigests,
  parseDigestPreferences,
} from "./digest_field.ts";
import type { FieldLine } from "./encode_head.ts";
import { formatHttpDate } from "./http_date.ts";
import { type BodyPart, newBoundary, planMultipart } from "./multipart_ranges.ts";
import { type ByteRange, parseRanges, type RangeOptions } from "./range.ts";
import type { RequestHead } from "./request_head.ts";

/** A file as one sequence of bytes, with what tells it from another one. */
export interface Representation extends Validators {
  /** How many bytes it has. */
  readonly size: number;
  /** Digests of all of its bytes, as far as they are known. */
  readonly digests?: Digests;
}

/** A file that lies compressed beside another one. */
export interface CodedRepresentation extends Representation {
  /** Its content coding, such as `br` or `gzip`. */
  readonly coding: string;
}

/** What is known of a file that a request is for. */
export interface FileDescription extends Representation {
  /** Its media type, the same for all codings. */
  readonly contentType?: string;
  /** The same file compressed, the best one first. */
  readonly coded?: readonly CodedRepresentation[];
  /** Fields that go with the file's bytes, such as Content-Disposition. */
  readonly fields?: readonly FieldLine[];
  /** The value of Cache-Control, if there is to be one. */
  readonly cacheControl?: string;
}

/** How to answer a request for a file. */
export interface FileAnswer {
  /** The status. */
  readonly status: 200 | 206 | 304 | 406 | 412 | 416;
  /**
   * The fields that follow from file and request. Date, Connection and what describes the text of an
   * error are the sender's.
   */
  readonly fields: readonly FieldLine[];
  /** The coding of the file that was chosen: `identity` is the file itself. */
  readonly coding: string;
  /** How many bytes the body has: 0 for HEAD and 304, and for errors, whose text is the sender's. */
  readonly bodyBytes: number;
  /** The pieces of the body in order; none when there is no body. Each call begins anew. */
  parts(): Iterable<BodyPart>;
}

/** Options of {@linkcode planFileAnswer}. */
export interface FileAnswerOptions extends RangeOptions {
  /**
   * Gives the boundary of a body of several ranges.
   *
   * @default {newBoundary}
   */
  readonly boundary?: () => string;
  /**
   * What two digits of a year are understood from (RFC 9110, section 5.6.7).
   *
   * @default {Date.now()}
   */
  readonly nowMs?: number;
}

const NO_HEAD = new Uint8Array(0);
const NOTHING = (): readonly BodyPart[] => [];

/**
 * Plan the answer to a GET or HEAD for a file that is there: coding (RFC 9110, section 12.5.3), then
 * conditions (13.2.2), then ranges (14.2). Nothing is read and nothing is sent.
 *
 * A HEAD gets the head that the same GET without its Range would get. Digests are those of the whole
 * file, also beside a part of it (RFC 9530, section 3): one that the client wants, or all that are
 * known when it does not say.
 *
 * @example
 * ```ts
 * import { parseRequestHead, planFileAnswer } from "@jackfield/jackfield/core";
 *
 * const head = "GET /a HTTP/1.1\r\nHost: a\r\nRange: bytes=-100\r\n\r\n";
 * const request = parseRequestHead(new TextEncoder().encode(head));
 * const answer = planFileAnswer(request, { size: 1000, entityTag: '"a"' });
 * const range = answer.fields.find(([name]) => name === "Content-Range")?.[1];
 * if (answer.status !== 206 || range !== "bytes 900-999/1000") throw new Error("unexpected");
 * ```
 */
export function planFileAnswer(
  request: Pick<RequestHead, "method" | "fields">,
  file: FileDescription,
  options: FileAnswerOptions = {},
): FileAnswer {
  const { coded = [] } = file;
  const vary: readonly FieldLine[] = coded.length > 0 ? [["Vary", "Accept-Encoding"]] : [];
  const available = coded.map(({ coding }) => coding);
  const coding = chooseCoding(request.fields.get("accept-encoding"), available);
  if (coding === undefined) return withoutFile(406, "identity", vary);
  const chosen = coded.find((one) => one.coding === coding) ?? file;
  const condition = evaluateConditions(request, chosen, options.nowMs);
  if (condition === 304) return withoutFile(304, coding, unchangedFields(file, chosen, vary));
  if (condition === 412) return withoutFile(412, coding, vary);
  const ranges = rangeCounts(request, chosen, options.nowMs)
    ? parseRanges(request.fields.get("range"), chosen.size, options)
    : undefined;
  if (ranges === "unsatisfiable") {
    const size: FieldLine = ["Content-Range", `bytes */${chosen.size}`];
    return withoutFile(416, coding, [size, ["Accept-Ranges", "bytes"], ...vary]);
  }
  const fields: FieldLine[] = [["Accept-Ranges", "bytes"], ...validatorFields(chosen)];
  if (coding !== "identity") fields.push(["Content-Encoding", coding]);
  fields.push(...vary);
  if (file.cacheControl !== undefined) fields.push(["Cache-Control", file.cacheControl]);
  const digests = wantedDigests(request.fields.get("want-repr-digest"), chosen.digests);
  if (digests !== undefined) fields.push(["Repr-Digest", digests]);
  if (file.fields !== undefined) fields.push(...file.fields);
  const body = bodyOf(ranges, chosen.size, file.contentType, options.boundary ?? newBoundary);
  return {
    status: ranges === undefined ? 200 : 206,
    fields: [...body.fields, ["Content-Length", body.length], ...fields],
    coding,
    bodyBytes: request.method === "HEAD" ? 0 : body.length,
    parts: request.method === "HEAD" ? NOTHING : body.parts,
  };
}

interface Body {
  readonly fields: readonly FieldLine[];
  readonly length: number;
  readonly parts: () => Iterable<BodyPart>;
}

/** The whole file, one part of it, or several; only several need delimiters (section 15.3.7). */
function bodyOf(
  ranges: readonly ByteRange[] | undefined,
  size: number,
  contentType: string | undefined,
  boundary: () => string,
): Body {
  const type: readonly FieldLine[] = contentType === undefined
    ? []
    : [["Content-Type", contentType]];
  if (ranges !== undefined && ranges.length > 1) {
    const plan = planMultipart(ranges, { size, contentType, boundary: boundary() });
    const fields: FieldLine[] = [["Content-Type", plan.contentType]];
    return { fields, length: plan.contentLength, parts: () => plan.parts() };
  }
  const { start, end } = ranges?.[0] ?? { start: 0, end: size };
  const length = end - start;
  const parts = () => length === 0 ? [] : [{ head: NO_HEAD, offset: start, length }];
  if (ranges === undefined) return { fields: type, length, parts };
  return {
    fields: [...type, ["Content-Range", `bytes ${start}-${end - 1}/${size}`]],
    length,
    parts,
  };
}

function withoutFile(
  status: 304 | 406 | 412 | 416,
  coding: string,
  fields: readonly FieldLine[],
): FileAnswer {
  return { status, fields, coding, bodyBytes: 0, parts: NOTHING };
}

/** What a cache needs to go on with what it has (RFC 9110, section 15.4.5), and no more. */
function unchangedFields(
  file: FileDescription,
  chosen: Representation,
  vary: readonly FieldLine[],
): FieldLine[] {
  const fields: FieldLine[] = chosen.entityTag === undefined
    ? validatorFields(chosen)
    : [["ETag", chosen.entityTag]];
  fields.push(...vary);
  if (file.cacheControl !== undefined) fields.push(["Cache-Control", file.cacheControl]);
  return fields;
}

function validatorFields({ entityTag, modifiedMs }: Validators): FieldLine[] {
  const fields: FieldLine[] = [];
  if (entityTag !== undefined) fields.push(["ETag", entityTag]);
  if (modifiedMs !== undefined) fields.push(["Last-Modified", formatHttpDate(modifiedMs)]);
  return fields;
}

function wantedDigests(
  want: string | undefined,
  digests: Digests | undefined,
): string | undefined {
  if (digests === undefined || digests.size === 0) return undefined;
  const preferences = want === undefined ? undefined : parseDigestPreferences(want);
  // A field that is not well-formed is as good as none (RFC 9651, section 4.2).
  if (preferences === undefined) return formatDigests(digests);
  const algorithm: DigestAlgorithm | undefined = chooseDigest(preferences, digests.keys());
  if (algorithm === undefined) return undefined;
  return formatDigests(new Map([[algorithm, digests.get(algorithm)!]]));
}
