/** The bytes of a frame's header; docs/striped.md has them one by one. */
export const HEADER_BYTES = 40;
/** No unit is longer, whatever was agreed on. */
export const LARGEST_UNIT_BYTES: number = 2 ** 20;
/** So many units may be on their way that the far end has not acknowledged. */
export const MOST_UNITS = 4096;

/** The unit is the last of the stream. */
export const END = 1;
/** The sender of the frame takes no more units: whatever still comes is thrown away. */
export const STOP = 2;
/** The bundle has ended in good order; only the accepting side says so. */
export const DONE = 4;
/** The bundle was aborted. */
export const RESET = 8;
/** The sender of the frame would like to have one back. */
export const ASK = 16;

const KNOWN_FLAGS = END | STOP | DONE | RESET | ASK;
/** The most that the upper half of a number may be: beyond it a `number` is no longer exact. */
const MOST_UPPER = 2 ** 21 - 1;

/** What stands in a header. Everything but the first three fields is true of every frame. */
export interface Frame {
  /** See {@linkcode END} and the others. */
  flags: number;
  /** Bytes of the unit that follows; 0 for none. */
  length: number;
  /** Where in the stream the unit begins. */
  offset: number;
  /** All bytes before it have come; one more than the stream has when its end has come too. */
  acknowledged: number;
  /** Bytes before it may be sent. */
  limit: number;
  /** How many bytes have come on this connection since the handshake. */
  arrived: number;
}

/** A header to be filled in. */
export function emptyFrame(): Frame {
  return { flags: 0, length: 0, offset: 0, acknowledged: 0, limit: 0, arrived: 0 };
}

/** Write a header. */
export function writeFrame(view: DataView, at: number, frame: Frame): void {
  view.setUint32(at, frame.flags << 24);
  view.setUint32(at + 4, frame.length);
  writeNumber(view, at + 8, frame.offset);
  writeNumber(view, at + 16, frame.acknowledged);
  writeNumber(view, at + 24, frame.limit);
  writeNumber(view, at + 32, frame.arrived);
}

/** Read a header into `frame`; gives what is wrong with it, in words. */
export function readFrame(view: DataView, at: number, frame: Frame): string | undefined {
  frame.flags = view.getUint8(at);
  if ((frame.flags & ~KNOWN_FLAGS) !== 0) return `it has unknown flags (${frame.flags})`;
  if ((view.getUint32(at) & 0xff_ff_ff) !== 0) return "its reserved bytes are not 0";
  for (let number = at + 8; number < at + HEADER_BYTES; number += 8) {
    if (view.getUint32(number) > MOST_UPPER) return "a number of it is beyond 2 to the 53rd";
  }
  frame.length = view.getUint32(at + 4);
  frame.offset = readNumber(view, at + 8);
  frame.acknowledged = readNumber(view, at + 16);
  frame.limit = readNumber(view, at + 24);
  frame.arrived = readNumber(view, at + 32);
  return undefined;
}

function writeNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value % 2 ** 32);
}

function readNumber(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}
