// Messages of DHCP as bytes: RFC 2131, section 2; the options of RFC 2132 in the form of RFC 3396.

/** The codes of the options that a client needs (RFC 2132). */
export const OPTION = {
  pad: 0,
  requestedAddress: 50,
  leaseSeconds: 51,
  overload: 52,
  messageType: 53,
  serverIdentifier: 54,
  parameterList: 55,
  words: 56,
  renewSeconds: 58,
  rebindSeconds: 59,
  clientIdentifier: 61,
  end: 255,
} as const;

/** What a message is for, as option 53 counts it. */
export const MESSAGE_TYPE = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
} as const;

/** A message; addresses are literals, `0.0.0.0` for none. */
export interface DhcpMessage {
  /** Who speaks: the client (1, a request) or the server (2, a reply). */
  readonly operation: 1 | 2;
  /** How many relay agents have passed it on. */
  readonly hops: number;
  /** Tells one exchange from all others. */
  readonly transactionId: number;
  /** How long the client has been trying. */
  readonly seconds: number;
  /** Whether the reply is to be sent to everybody. */
  readonly isBroadcast: boolean;
  /** The client's address, when it has one that it can answer under. */
  readonly clientAddress: string;
  /** The address that the server gives. */
  readonly yourAddress: string;
  /** The relay agent that the reply goes to. */
  readonly relayAddress: string;
  /** The client's hardware address: six bytes. */
  readonly hardwareAddress: Uint8Array;
  /** By code. */
  readonly options: ReadonlyMap<number, Uint8Array>;
}

/** Bytes that are no message of DHCP. */
export class MalformedMessage extends Error {
  override readonly name = "MalformedMessage";
}

/** Where the fields stand, and the shortest message that old relay agents pass on (RFC 1542, 2.1). */
const HEAD_BYTES = 236;
const MIN_BYTES = 300;
/** `sname` and `file`, which may hold options too (option 52). */
const SERVER_NAME = { start: 44, end: 108 };
const BOOT_FILE = { start: 108, end: 236 };

const COOKIE = 0x63825363;
const ETHERNET = 1;
const HARDWARE_BYTES = 6;
const BROADCAST_FLAG = 0x8000;

/** Write a message. No option is longer than 255 bytes: a client has none that is. */
export function encodeMessage(message: DhcpMessage): Uint8Array<ArrayBuffer> {
  const options = [...message.options];
  const length = options.reduce((sum, [, value]) => sum + 2 + value.byteLength, HEAD_BYTES + 5);
  const bytes = new Uint8Array(Math.max(length, MIN_BYTES));
  const view = new DataView(bytes.buffer);
  bytes.set([message.operation, ETHERNET, HARDWARE_BYTES, message.hops]);
  view.setUint32(4, message.transactionId);
  view.setUint16(8, Math.min(message.seconds, 0xffff));
  view.setUint16(10, message.isBroadcast ? BROADCAST_FLAG : 0);
  bytes.set(bytesOfAddress(message.clientAddress), 12);
  bytes.set(bytesOfAddress(message.yourAddress), 16);
  bytes.set(bytesOfAddress(message.relayAddress), 24);
  bytes.set(message.hardwareAddress, 28);
  view.setUint32(HEAD_BYTES, COOKIE);
  let at = HEAD_BYTES + 4;
  for (const [code, value] of options) {
    bytes.set([code, value.byteLength], at);
    bytes.set(value, at + 2);
    at += 2 + value.byteLength;
  }
  bytes[at] = OPTION.end;
  return bytes;
}

/**
 * Read a message.
 *
 * @throws {MalformedMessage} And nothing else, whatever the bytes are.
 */
export function decodeMessage(bytes: Uint8Array): DhcpMessage {
  if (bytes.byteLength < HEAD_BYTES + 4) throw new MalformedMessage("it is too short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const operation = bytes[0];
  if (operation !== 1 && operation !== 2) throw new MalformedMessage("its operation is unknown");
  if (bytes[1] !== ETHERNET || bytes[2] !== HARDWARE_BYTES) {
    throw new MalformedMessage("its hardware address is none of Ethernet");
  }
  if (view.getUint32(HEAD_BYTES) !== COOKIE) throw new MalformedMessage("its cookie is wrong");
  return {
    operation,
    hops: bytes[3]!,
    transactionId: view.getUint32(4),
    seconds: view.getUint16(8),
    isBroadcast: (view.getUint16(10) & BROADCAST_FLAG) !== 0,
    clientAddress: addressOfBytes(bytes.subarray(12, 16)),
    yourAddress: addressOfBytes(bytes.subarray(16, 20)),
    relayAddress: addressOfBytes(bytes.subarray(24, 28)),
    hardwareAddress: bytes.slice(28, 34),
    options: readOptions(bytes),
  };
}

/** An IPv4 literal in normal form as four bytes. */
export function bytesOfAddress(literal: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(literal.split("."), Number);
}

/** Four bytes as an IPv4 literal. */
export function addressOfBytes(bytes: Uint8Array): string {
  return bytes.join(".");
}

/** All options; one that comes in several parts is put together (RFC 3396). */
function readOptions(bytes: Uint8Array): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  readField(bytes.subarray(HEAD_BYTES + 4), options);
  const overload = options.get(OPTION.overload);
  if (overload === undefined) return options;
  const [which] = overload;
  if (overload.byteLength !== 1 || which === undefined || which < 1 || which > 3) {
    throw new MalformedMessage("its option 52 is none of 1 to 3");
  }
  if ((which & 1) !== 0) readField(bytes.subarray(BOOT_FILE.start, BOOT_FILE.end), options);
  if ((which & 2) !== 0) readField(bytes.subarray(SERVER_NAME.start, SERVER_NAME.end), options);
  return options;
}

function readField(field: Uint8Array, options: Map<number, Uint8Array>): void {
  for (let at = 0; at < field.byteLength;) {
    const code = field[at++]!;
    if (code === OPTION.pad) continue;
    if (code === OPTION.end) return;
    const length = field[at++];
    if (length === undefined || at + length > field.byteLength) {
      throw new MalformedMessage(`its option ${code} is cut off`);
    }
    const value = field.subarray(at, at + length);
    const before = options.get(code);
    options.set(code, before === undefined ? value.slice() : joined(before, value));
    at += length;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.byteLength + second.byteLength);
  bytes.set(first);
  bytes.set(second, first.byteLength);
  return bytes;
}
