import process from "node:process";
import type { SocketProgress, TransferProgress } from "../core.ts";
import { fit, formatBytes, progressLine } from "./format.ts";
import { print, say } from "./terminal.ts";

/** Shows how far a transfer is. */
export interface GetDisplay {
  /** So far. */
  show(progress: TransferProgress): void;
  /** It is over: leave nothing half drawn. */
  end(): void;
}

/** How often lines of JSON come, and plain ones of a file without a known length, in milliseconds. */
const LINE_INTERVAL_MS = 1000;

/** The display that fits: lines of JSON, a drawing on a terminal, or plain lines. */
export function getDisplay(isJson: boolean): GetDisplay {
  if (isJson) return new JsonLines();
  const { stderr } = process;
  return stderr.isTTY === true ? new Drawing() : new PlainLines();
}

/** One object in a line for each event, on standard output. */
export function sayJson(event: string, facts: object): void {
  say(JSON.stringify({ event, ...facts }));
}

class JsonLines implements GetDisplay {
  #toldMs = -Infinity;

  show({ bytes, totalBytes, bytesPerSecond, sockets }: TransferProgress): void {
    const now = performance.now();
    if (now - this.#toldMs < LINE_INTERVAL_MS) return;
    this.#toldMs = now;
    const open = sockets.filter(({ isOpen }) => isOpen);
    sayJson("progress", {
      bytes,
      totalBytes: totalBytes ?? null,
      bytesPerSecond: Math.round(bytesPerSecond),
      sockets: open.map(({ localAddress, localPort, bytes, units, bytesPerSecond }) => ({
        localAddress,
        localPort,
        bytes,
        units,
        bytesPerSecond: Math.round(bytesPerSecond),
      })),
    });
  }

  end(): void {}
}

/** A line for each tenth; of a file without a known length now and then. */
class PlainLines implements GetDisplay {
  #startMs = performance.now();
  #toldMs = this.#startMs;
  #tenth = 0;

  show({ bytes, totalBytes, resumedBytes }: TransferProgress): void {
    const now = performance.now();
    if (totalBytes === undefined) {
      if (now - this.#toldMs < LINE_INTERVAL_MS) return;
    } else {
      const tenth = totalBytes === 0 ? 10 : Math.floor(bytes / totalBytes * 10);
      if (tenth <= this.#tenth) return;
      this.#tenth = tenth;
    }
    this.#toldMs = now;
    const seconds = (now - this.#startMs) / 1000;
    const rate = seconds > 0 ? (bytes - resumedBytes) / seconds : 0;
    print("stderr", `${progressLine(bytes, totalBytes, rate, 79)}\n`);
  }

  end(): void {}
}

/** A bar, and a line for every socket, drawn over and over. */
class Drawing implements GetDisplay {
  #lines = 0;

  show(progress: TransferProgress): void {
    // A terminal without a size says 0.
    const columns = (process.stderr.columns || 80) - 1;
    const rows = process.stderr.rows || 24;
    const lines = drawGet(progress, columns, rows - 1);
    let text = this.#toTop();
    for (const line of lines) text += `\x1b[K${line}\n`;
    print("stderr", `${text}\x1b[J`);
    this.#lines = lines.length;
  }

  /** What is drawn says nothing any more: the summary does. */
  end(): void {
    if (this.#lines > 0) print("stderr", `${this.#toTop()}\x1b[J`);
    this.#lines = 0;
  }

  #toTop(): string {
    return this.#lines === 0 ? "" : `\r\x1b[${this.#lines}A`;
  }
}

/** The lines of a drawing, none wider than the terminal and no more than it has. */
export function drawGet(progress: TransferProgress, columns: number, rows: number): string[] {
  const { bytes, totalBytes, bytesPerSecond, sockets } = progress;
  const rest = totalBytes === undefined ? NaN : (totalBytes - bytes) / bytesPerSecond;
  const bar = progressLine(bytes, totalBytes, bytesPerSecond, columns - 10);
  const left = Number.isFinite(rest) && rest >= 1 ? `  ${formatSeconds(rest)}` : "";
  const lines = [fit([bar, left], columns)];
  const open = sockets.filter(({ isOpen }) => isOpen);
  const room = Math.max(0, rows - 1);
  const shown = open.length > room ? open.slice(0, Math.max(0, room - 1)) : open;
  const most = Math.max(1, ...open.map(({ bytesPerSecond }) => bytesPerSecond));
  for (const socket of shown) lines.push(socketLine(socket, most, columns));
  if (shown.length < open.length && room > 0) {
    lines.push(`  and ${open.length - shown.length} more`.slice(0, columns));
  }
  return lines;
}

/** A socket in one line: its end here, its speed against the fastest, and what it has brought. */
function socketLine(socket: SocketProgress, most: number, columns: number): string {
  const { localAddress, localPort, bytes, units, bytesPerSecond } = socket;
  const own = localAddress.includes(":") ? `[${localAddress}]` : localAddress;
  const parts = [
    `  ${`${own}:${localPort}`.padEnd(21)}`,
    ` ${`${formatBytes(bytesPerSecond)}/s`.padStart(12)}`,
    `  ${formatBytes(bytes).padStart(10)}`,
    ` in ${units} ${units === 1 ? "unit" : "units"}`,
  ];
  const text = fit(parts, columns);
  const width = Math.min(16, columns - text.length - 1);
  if (width < 4) return text;
  return `${text.padEnd(columns - width)}${"=".repeat(Math.round(bytesPerSecond / most * width))}`;
}

/** Seconds for people: `42 s`, `3 min`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 60 * 100) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return "days";
}
