import { Buffer } from "node:buffer";
import { deserialize, serialize } from "node:v8";

type Flat = string | number | boolean;

/** A message as JSON can carry it: the elements of an array, or a clone in base64 of anything else. */
export type Packed = string | readonly PackedElement[];

/** What is flat as it is, `undefined` as null, and anything else as a clone in base64. */
type PackedElement = Flat | null | readonly [clone: string];

/**
 * Pack a message for a channel of `node:child_process` with its default serialization.
 *
 * The `advanced` one clones too, but costs Node half as much again for each handoff, most of it in the
 * garbage collector, and Bun a third.
 *
 * It throws the runtime's error for what cannot be cloned.
 */
export function pack(message: unknown): Packed {
  return Array.isArray(message) ? message.map(packElement) : clone(message);
}

/** What was packed. */
export function unpack(packed: Packed): unknown {
  return typeof packed === "string" ? original(packed) : packed.map(unpackElement);
}

function packElement(value: unknown): PackedElement {
  if (value === undefined) return null;
  return isFlat(value) ? value : [clone(value)];
}

function unpackElement(packed: PackedElement): unknown {
  if (packed === null) return undefined;
  return typeof packed === "object" ? original(packed[0]) : packed;
}

function clone(value: unknown): string {
  return serialize(value).toString("base64");
}

function original(text: string): unknown {
  return deserialize(Buffer.from(text, "base64"));
}

/** Whether JSON gives back the same value. */
function isFlat(value: unknown): value is Flat {
  const kind = typeof value;
  return kind === "number"
    ? Number.isFinite(value) && !Object.is(value, -0)
    : kind === "string" || kind === "boolean";
}
