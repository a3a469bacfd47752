/** Bytes for people: `12.3 MiB`. */
export function formatBytes(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = Math.round(bytes);
  // From 1023.95 on one decimal would show "1024.0".
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < names.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${names[unit]}`;
}

/** As many of the parts as fit, in their order: a number that is cut off is a wrong one. */
export function fit(parts: readonly string[], columns: number): string {
  let text = (parts[0] ?? "").slice(0, Math.max(0, columns));
  for (const part of parts.slice(1)) {
    if (text.length + part.length > columns) break;
    text += part;
  }
  return text;
}

/** A line that shows how far a transfer is, at most so many columns wide; 0 leaves nothing. */
export function progressLine(
  bytes: number,
  totalBytes: number | undefined,
  bytesPerSecond: number,
  columns: number,
): string {
  const rate = `${formatBytes(bytesPerSecond)}/s`;
  const room = Math.max(0, columns); // Some terminals say that they have no columns at all.
  if (totalBytes === undefined) return fit([formatBytes(bytes), `  ${rate}`], room);
  const share = totalBytes === 0 ? 1 : Math.min(bytes / totalBytes, 1);
  const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
  const text = fit(
    [percent, `  ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`, `  ${rate}`],
    room,
  );
  const width = Math.min(30, room - text.length - 3);
  if (width < 5) return text;
  const filled = Math.round(share * width);
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${text}`;
}
