/** Bytes for people: `12.3 MiB`. */
export function formatBytes(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < names.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(1)} ${names[unit]}`;
}

/** A line that shows how far a transfer is, at most so many columns wide. */
export function progressLine(
  bytes: number,
  totalBytes: number | undefined,
  seconds: number,
  columns: number,
): string {
  const rate = `${formatBytes(seconds > 0 ? bytes / seconds : 0)}/s`;
  if (totalBytes === undefined) return `${formatBytes(bytes)}  ${rate}`.slice(0, columns);
  const share = totalBytes === 0 ? 1 : bytes / totalBytes;
  const text = `${String(Math.floor(share * 100)).padStart(3)} %  ${formatBytes(bytes)} of ` +
    `${formatBytes(totalBytes)}  ${rate}`;
  const width = Math.min(30, columns - text.length - 4);
  if (width < 5) return text.slice(0, columns);
  const filled = Math.round(share * width);
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${text}`;
}
