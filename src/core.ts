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
export * from "./address_table/mod.ts";
export * from "./admin/mod.ts";
export * from "./download/mod.ts";
export * from "./files/mod.ts";
export * from "./handoff/mod.ts";
export * from "./http/mod.ts";
export * from "./parallel/mod.ts";
export * from "./pool/mod.ts";
export * from "./queue/mod.ts";
export * from "./strategy/mod.ts";
export * from "./transport/mod.ts";
export * from "./workers/mod.ts";
