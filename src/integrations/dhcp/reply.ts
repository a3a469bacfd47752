import {
  addressOfBytes,
  decodeMessage,
  type DhcpMessage,
  MalformedMessage,
  MESSAGE_TYPE,
  OPTION,
} from "./message.ts";

/** A server's answer, as far as a client looks at it. */
export interface DhcpReply {
  /** What it says. */
  readonly type: "offer" | "ack" | "nak";
  /** Which exchange it belongs to. */
  readonly transactionId: number;
  /** Who it is for. */
  readonly hardwareAddress: Uint8Array;
  /** The same by option 61, where the server repeats it (RFC 6842). */
  readonly clientIdentifier: Uint8Array | undefined;
  /** The relay agent that it was sent to. */
  readonly relayAddress: string;
  /** The address that is offered or leased; `0.0.0.0` when it is refused. */
  readonly hostname: string;
  /** Who says so. */
  readonly server: string;
  /** How long, `Infinity` for ever. */
  readonly leaseMs: number;
  /** After what time to ask this server for more, where it says so. */
  readonly renewMs: number | undefined;
  /** After what time to ask any server for more, where it says so. */
  readonly rebindMs: number | undefined;
  /** Its reason in words; empty when it gives none. */
  readonly words: string;
}

/** All bits set stand for ever (RFC 2131, section 3.3). */
const FOREVER = 0xffff_ffff;

const TYPES: Readonly<Record<number, DhcpReply["type"]>> = {
  [MESSAGE_TYPE.offer]: "offer",
  [MESSAGE_TYPE.ack]: "ack",
  [MESSAGE_TYPE.nak]: "nak",
};

/**
 * Read a server's answer.
 *
 * @throws {MalformedMessage} And nothing else, whatever the bytes are.
 */
export function readReply(bytes: Uint8Array): DhcpReply {
  const message = decodeMessage(bytes);
  if (message.operation !== 2) throw new MalformedMessage("it is no reply");
  const kind = TYPES[numberOf(message, OPTION.messageType, 1) ?? 0];
  if (kind === undefined) throw new MalformedMessage("its type is none of a server");
  const server = message.options.get(OPTION.serverIdentifier);
  if (server?.byteLength !== 4 || !isHostAddress(addressOfBytes(server))) {
    throw new MalformedMessage("it names no server");
  }
  const seconds = numberOf(message, OPTION.leaseSeconds, 4);
  if (kind !== "nak" && (seconds === undefined || seconds === 0)) {
    throw new MalformedMessage("it says not how long the lease lasts");
  }
  if (kind !== "nak" && !isHostAddress(message.yourAddress)) {
    throw new MalformedMessage(`${message.yourAddress} is no address of a host`);
  }
  return {
    type: kind,
    transactionId: message.transactionId,
    hardwareAddress: message.hardwareAddress,
    clientIdentifier: message.options.get(OPTION.clientIdentifier),
    relayAddress: message.relayAddress,
    hostname: message.yourAddress,
    server: addressOfBytes(server),
    leaseMs: millisecondsOf(seconds ?? 0),
    renewMs: timeOf(message, OPTION.renewSeconds),
    rebindMs: timeOf(message, OPTION.rebindSeconds),
    words: wordsOf(message.options.get(OPTION.words)),
  };
}

function numberOf({ options }: DhcpMessage, code: number, length: number): number | undefined {
  const value = options.get(code);
  if (value === undefined) return undefined;
  if (value.byteLength !== length) {
    throw new MalformedMessage(`its option ${code} has ${value.byteLength} bytes`);
  }
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}

function timeOf(message: DhcpMessage, code: number): number | undefined {
  const seconds = numberOf(message, code, 4);
  return seconds === undefined ? undefined : millisecondsOf(seconds);
}

function millisecondsOf(seconds: number): number {
  return seconds === FOREVER ? Infinity : seconds * 1000;
}

/** Words of a stranger: what could steer a terminal is left out. */
function wordsOf(value: Uint8Array | undefined): string {
  return value === undefined
    ? ""
    : new TextDecoder().decode(value).replaceAll(/[^\x20-\x7e]/g, "").slice(0, 100);
}

/** Whether a host may have the address (RFC 1122, section 3.2.1.3): it is neither loopback nor group. */
function isHostAddress(hostname: string): boolean {
  const first = Number(hostname.split(".", 1)[0]);
  return first > 0 && first !== 127 && first < 224;
}
