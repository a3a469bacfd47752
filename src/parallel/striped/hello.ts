import type { Socket } from "../../transport/mod.ts";
import { LARGEST_UNIT_BYTES } from "./frame.ts";

/** What the connecting side says first on every connection: so many bytes. */
export const HELLO_BYTES = 64;
/** What the accepting side answers. */
export const WELCOME_BYTES = 16;
/** The bytes of a bundle's name. */
export const ID_BYTES = 16;
/** The bytes of its key. */
export const KEY_BYTES = 32;

/** `JFST`. */
const MAGIC = 0x4a_46_53_54;
/** Of this wire format. */
const VERSION = 1;
/** Smaller units would be all headers. */
export const LEAST_UNIT_BYTES = 1024;

/** What a connection is for. */
export type Purpose = "open" | "join";
/** What has become of the bundle that a connection asks for. */
export type Outcome = "stands" | "done" | "reset";

const PURPOSES: readonly Purpose[] = ["open", "join"];
const OUTCOMES: readonly Outcome[] = ["stands", "done", "reset"];

/** The connecting side's first words. */
export interface Hello {
  /** Whether there is to be a new bundle, or one more socket for one that stands. */
  readonly purpose: Purpose;
  /** The longest unit that its sender will send. */
  readonly unitBytes: number;
  /** Names the bundle. */
  readonly id: Uint8Array;
  /** Proves that its sender belongs to it. */
  readonly key: Uint8Array;
}

/** The answer to a hello that was accepted; there is none to others. */
export interface Welcome {
  /** Everything but `stands` says that the bundle has ended. */
  readonly outcome: Outcome;
  /** The longest unit that its sender will send. */
  readonly unitBytes: number;
}

/** A hello as it travels. */
export function encodeHello(hello: Hello): Uint8Array {
  const bytes = new Uint8Array(HELLO_BYTES);
  writeStart(bytes, PURPOSES.indexOf(hello.purpose), hello.unitBytes);
  bytes.set(hello.id, 16);
  bytes.set(hello.key, 32);
  return bytes;
}

/** A welcome as it travels. */
export function encodeWelcome(welcome: Welcome): Uint8Array {
  const bytes = new Uint8Array(WELCOME_BYTES);
  writeStart(bytes, OUTCOMES.indexOf(welcome.outcome), welcome.unitBytes);
  return bytes;
}

/** Read a hello; a string says what is wrong with it. */
export function decodeHello(bytes: Uint8Array): Hello | string {
  const start = readStart(bytes, PURPOSES.length);
  if (typeof start === "string") return start;
  return {
    purpose: PURPOSES[start.word]!,
    unitBytes: start.unitBytes,
    id: bytes.slice(16, 32),
    key: bytes.slice(32, 64),
  };
}

/** Read a welcome; a string says what is wrong with it. */
export function decodeWelcome(bytes: Uint8Array): Welcome | string {
  const start = readStart(bytes, OUTCOMES.length);
  if (typeof start === "string") return start;
  return { outcome: OUTCOMES[start.word]!, unitBytes: start.unitBytes };
}

/** Read so many bytes and no more; `undefined` when the stream ends before. */
export async function readExactly(socket: Socket, count: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const got = await socket.read(bytes.subarray(at));
    if (got === null) return undefined;
    at += got;
  }
  return bytes;
}

/** Whether two keys are the same; how long it takes does not tell where they differ. */
export function sameKey(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.byteLength ^ right.byteLength;
  for (let at = 0; at < KEY_BYTES; at++) difference |= (left[at] ?? 0) ^ (right[at] ?? 0);
  return difference === 0;
}

function writeStart(bytes: Uint8Array, word: number, unitBytes: number): void {
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint8(4, VERSION);
  view.setUint8(5, word);
  view.setUint32(8, unitBytes);
}

function readStart(bytes: Uint8Array, words: number): { word: number; unitBytes: number } | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0) !== MAGIC) return "it does not begin with JFST";
  const version = view.getUint8(4);
  if (version !== VERSION) return `it speaks version ${version}, expected ${VERSION}`;
  const word = view.getUint8(5);
  if (word >= words) return `its word ${word} is unknown`;
  if (view.getUint16(6) !== 0 || view.getUint32(12) !== 0) return "its reserved bytes are not 0";
  const unitBytes = view.getUint32(8);
  if (unitBytes < LEAST_UNIT_BYTES || unitBytes > LARGEST_UNIT_BYTES) {
    return `its units of ${unitBytes} bytes are not of ${LEAST_UNIT_BYTES} to ${LARGEST_UNIT_BYTES}`;
  }
  return { word, unitBytes };
}
