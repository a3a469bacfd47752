import { type Interval, Intervals } from "./intervals.ts";
import type { Validator } from "./validators.ts";

// The state of an unfinished file as text, one line for each fact, each line with its own check:
//
//   {"jackfield":"get","version":1,"url":…,"size":…,"unitBytes":…,"validator":…} 89abcdef
//   + 0 4194304 01234567       these bytes are in the file
//   = 123 76543210             what the first 123 bytes of this text say has reached the disk
//
// The first line stands before the first byte is fetched; the others are added at the end, one write
// for each. A line that is broken, as the last one may be after a crash, ends what is believed.

/** What is known of a file that is being fetched. */
export interface StateHead {
  /** The URL that was asked for. */
  readonly url: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Bytes of a data unit. */
  readonly unitBytes: number;
  /** What the file's content is told by. */
  readonly validator: Validator;
}

/** What a state says. */
export interface State {
  /** The file. */
  readonly head: StateHead;
  /** What is there. */
  readonly done: readonly Interval[];
  /** What of it is known to have reached the disk. */
  readonly synced: readonly Interval[];
}

const VERSION = 1;

/** The first line. */
export function stateHeadLine({ url, size, unitBytes, validator }: StateHead): string {
  const { kind, value } = validator;
  const facts = { url, size, unitBytes, validator: { kind, value } };
  const text = JSON.stringify({ jackfield: "get", version: VERSION, ...facts });
  // Offsets count characters and bytes alike.
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return checkedLine(text.replace(/[^ -~]/g, escaped));
}

/** A line that says that bytes are there. */
export function doneLine(start: number, end: number): string {
  return checkedLine(`+ ${start} ${end}`);
}

/** A line that says that everything before it up to an offset has reached the disk. */
export function syncedLine(offset: number): string {
  return checkedLine(`= ${offset}`);
}

/** Read a state; `undefined` when its first line is not one of ours. */
export function readState(text: string): State | undefined {
  const lines = text.split("\n");
  const head = lines.length > 1 ? readHead(uncheckedLine(lines[0]!)) : undefined;
  if (head === undefined) return undefined;
  const parts: { readonly offset: number; readonly part: Interval }[] = [];
  let syncedOffset = 0;
  let offset = lines[0]!.length + 1;
  for (const line of lines.slice(1, -1)) {
    const [, sign, first, second] = /^([+=]) (\d{1,15})(?: (\d{1,15}))?$/.exec(
      uncheckedLine(line) ?? "",
    ) ?? [];
    if (sign === undefined) break;
    offset += line.length + 1;
    if (sign === "=") {
      syncedOffset = Number(first);
      continue;
    }
    const part = { start: Number(first), end: Number(second) };
    if (!(part.start < part.end && part.end <= head.size)) break;
    parts.push({ offset, part });
  }
  const done = new Intervals();
  const synced = new Intervals();
  for (const { offset, part } of parts) {
    done.add(part.start, part.end);
    if (offset <= syncedOffset) synced.add(part.start, part.end);
  }
  return { head, done: done.list, synced: synced.list };
}

function readHead(text: string | undefined): StateHead | undefined {
  if (text === undefined) return undefined;
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { jackfield, version, url, size, unitBytes, validator } = value;
  const { kind, value: text_ } = (validator ?? {}) as Record<string, unknown>;
  const isCount = (count: unknown, least: number): count is number =>
    Number.isSafeInteger(count) && (count as number) >= least;
  const fits = jackfield === "get" && version === VERSION && typeof url === "string" &&
    isCount(size, 1) && isCount(unitBytes, 1) && (kind === "tag" || kind === "date") &&
    typeof text_ === "string";
  return fits ? { url, size, unitBytes, validator: { kind, value: text_ } } : undefined;
}

function checkedLine(text: string): string {
  return `${text} ${checkOf(text)}\n`;
}

/** A line without its check; `undefined` when that is wrong. */
function uncheckedLine(line: string): string | undefined {
  const space = line.lastIndexOf(" ");
  const text = line.slice(0, space);
  return space > 0 && line.slice(space + 1) === checkOf(text) ? text : undefined;
}

/** CRC-32 (ISO 3309) of a text in ASCII, as eight hexadecimal digits: lines are short. */
function checkOf(text: string): string {
  let crc = -1;
  for (let at = 0; at < text.length; at++) {
    crc ^= text.charCodeAt(at) & 0xff;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}
