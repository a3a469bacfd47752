import { joinBytes } from "../transport/mod.ts";

/** Bytes that were read and not used, in the order in which they came; `undefined` for none. */
export function joinUnread(
  ...parts: readonly (Uint8Array | undefined)[]
): Uint8Array | undefined {
  const filled = parts.filter((part) => part !== undefined && part.byteLength > 0) as Uint8Array[];
  return filled.length === 0 ? undefined : joinBytes(filled);
}
