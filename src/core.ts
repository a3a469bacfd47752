/**
 * Everything that knows no runtime: bring a `Transport` of your own.
 *
 * @example
 * ```ts
 * import { formatAddress, parseAddress } from "@jackfield/jackfield/core";
 *
 * if (formatAddress(parseAddress("[::1]:80")) !== "[::1]:80") throw new Error("unexpected");
 * ```
 *
 * @module
 */
export * from "./transport/mod.ts";
