/**
 * Heads and ranges of HTTP/1.1 as pure functions over bytes, and a reader that cuts heads out of a
 * socket's stream. Strict: what two readers could understand in two ways is refused.
 *
 * @module
 */
export { DEFAULT_MAX_HEAD_BYTES, encodeHead, type Fields, findHeadEnd } from "./head.ts";
export { type ByteSource, HeadReader } from "./head_reader.ts";
export { type ByteRange, parseRange } from "./range.ts";
export { parseRequestHead, type RequestHead } from "./request_head.ts";
export { parseContentRange, parseResponseHead, type ResponseHead } from "./response_head.ts";
