import { Buffer } from "node:buffer";
import { deserialize, serialize } from "node:v8";

type Flat = Readonly<Record<string, string | number | boolean>>;

/** A message as JSON can carry it: flat fields as they are, any others as clones in base64. */
export type Packed =
  | string
  | Flat
  | readonly [flat: Flat, clones: Readonly<Record<string, string>>];

/**
 * Pack a message for a channel of `node:child_process` with its default serialization.
 *
 * The `advanced` one clones too, but costs Node half as much again for each handoff, most of it in the
 * garbage collector, and Bun a third.
 *
 * It throws the runtime's error for what cannot be cloned.
 */
export function pack(message: unknown): Packed {
  if (!isPlain(message)) return clone(message);
  const flat: Record<string, string | number | boolean> = {};
  let clones: Record<string, string> | undefined;
  for (const key in message) {
    const value = message[key];
    if (isFlat(value)) flat[key] = value;
    else if (value !== undefined) (clones ??= {})[key] = clone(value);
  }
  return clones === undefined ? flat : [flat, clones];
}

/** What was packed. */
export function unpack(packed: Packed): unknown {
  if (typeof packed === "string") return original(packed);
  if (!isPair(packed)) return packed;
  const [flat, clones] = packed;
  const message: Record<string, unknown> = { ...flat };
  for (const key in clones) message[key] = original(clones[key]!);
  return message;
}

function clone(value: unknown): string {
  return serialize(value).toString("base64");
}

function original(text: string): unknown {
  return deserialize(Buffer.from(text, "base64"));
}

function isPlain(message: unknown): message is Record<string, unknown> {
  return typeof message === "object" && message !== null &&
    Object.getPrototypeOf(message) === Object.prototype;
}

function isPair(packed: Exclude<Packed, string>): packed is Exclude<Packed, string | Flat> {
  return Array.isArray(packed);
}

/** Whether JSON gives back the same value. */
function isFlat(value: unknown): value is string | number | boolean {
  const kind = typeof value;
  return kind === "number"
    ? Number.isFinite(value) && !Object.is(value, -0)
    : kind === "string" || kind === "boolean";
}
