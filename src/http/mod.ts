/**
 * HTTP/1.1 for files as pure functions over bytes: the heads of requests and answers, conditions,
 * ranges, codings and digests, and a reader that cuts heads out of a socket's stream.
 *
 * A request goes this way: {@linkcode HeadReader} cuts its head out of what a socket brings,
 * {@linkcode readRequest} reads it or says how to refuse it, {@linkcode planFileAnswer} plans the
 * answer to its last byte, {@linkcode encodeHead} writes the head. Nothing here knows a file or a
 * socket.
 *
 * Strict: what two readers could understand in two ways is refused, as RFC 9112 allows everywhere it
 * does not ask for it. The parser is our own: those on npm are lenient on purpose (http-parser-js) or
 * are llhttp inside of another program, which lets more pass and does not look at Host, targets or
 * the request's own sense. llhttp is the oracle of the tests instead.
 *
 * @module
 */
export { chooseCoding } from "./accept_encoding.ts";
export { checkCacheControl } from "./cache_control.ts";
export { ChunkedReader } from "./chunked_reader.ts";
export {
  type ConditionalRequest,
  evaluateConditions,
  rangeCounts,
  type Validators,
} from "./conditions.ts";
export { type DispositionType, formatContentDisposition } from "./content_disposition.ts";
export {
  chooseDigest,
  type DigestAlgorithm,
  type Digests,
  formatDigestPreferences,
  formatDigests,
  parseDigestPreferences,
  parseDigests,
} from "./digest_field.ts";
export { encodeHead, type FieldLine } from "./encode_head.ts";
export { isEntityTag, matchesStrongly, matchesWeakly, parseEntityTags } from "./entity_tag.ts";
export { checkFieldName, checkFieldValue } from "./field_value.ts";
export {
  type CodedRepresentation,
  type FileAnswer,
  type FileAnswerOptions,
  type FileDescription,
  planFileAnswer,
  type Representation,
} from "./file_answer.ts";
export { DEFAULT_MAX_FIELDS, DEFAULT_MAX_HEAD_BYTES, type Fields, findHeadEnd } from "./head.ts";
export { type ByteSource, HeadReader } from "./head_reader.ts";
export { keepsAlive } from "./framing.ts";
export { formatHttpDate, parseHttpDate } from "./http_date.ts";
export {
  type BodyPart,
  type MultipartOptions,
  type MultipartPlan,
  newBoundary,
  planMultipart,
} from "./multipart_ranges.ts";
export { type ByteRange, parseRange, parseRanges, type RangeOptions } from "./range.ts";
export { parseRequestHead, type RequestHead, type RequestHeadOptions } from "./request_head.ts";
export { readRequest, refusalOf, refuseRequest, type RequestRefusal } from "./request_refusal.ts";
export { parseContentRange, parseResponseHead, type ResponseHead } from "./response_head.ts";
export { statusLine } from "./status.ts";
