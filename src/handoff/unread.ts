/** Bytes that were read and not used, in the order in which they came; `undefined` for none. */
export function joinUnread(
  ...parts: readonly (Uint8Array | undefined)[]
): Uint8Array | undefined {
  const filled = parts.filter((part) => part !== undefined && part.byteLength > 0) as Uint8Array[];
  if (filled.length <= 1) return filled[0];
  const all = new Uint8Array(filled.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of filled) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
