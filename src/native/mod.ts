/**
 * What the C library does for this package, through the foreign functions of Deno (--allow-ffi) and
 * Bun, on Linux. It is loaded only when this entry is, and descriptor numbers stand nowhere else.
 *
 * @example
 * ```ts
 * import { openDescriptors } from "@jackfield/jackfield/native";
 *
 * try {
 *   const descriptors = await openDescriptors();
 *   if (descriptors.refusal({}) === undefined) throw new Error("unexpected");
 * } catch (error) {
 *   // UNSUPPORTED in Node and outside of Linux, PERMISSION_DENIED in Deno without --allow-ffi.
 *   if (!(error instanceof Error && "code" in error)) throw error;
 * }
 * ```
 *
 * @module
 */
export { openDescriptors } from "./descriptors.ts";
export { sendfileEngine, type SendfileEngineOptions } from "./sendfile_engine.ts";
export type { ConnectionToken, Descriptors, ParkedConnection } from "../transport/mod.ts";
