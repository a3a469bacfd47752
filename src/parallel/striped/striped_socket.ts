import { createSocket, type Socket, type SocketFacts, unsupported } from "../../transport/mod.ts";
import type { BundleEngine } from "./bundle_engine.ts";
import type { BundleMember } from "./member.ts";

/** The sockets behind a striped one. */
export interface Bundle {
  /** How many sockets there should be; on the accepting side as many as there are. */
  readonly sockets: number;
  /** Those that stand now. */
  readonly members: readonly BundleMember[];
  /** Bytes that wait to be sent or to be acknowledged. */
  readonly heldBytes: number;
  /** Bytes that were sent a second time, because a socket was lost or stood still. */
  readonly resentBytes: number;
  /**
   * Have so many sockets from now on, 1 to 64. New ones join when they stand; those that are too many
   * leave when what they carry has arrived.
   *
   * @throws {RangeError} For any other number.
   * @throws {JackfieldError} `UNSUPPORTED` on the accepting side.
   */
  resize(sockets: number): void;
}

/** A socket whose bytes travel over several. */
export interface StripedSocket extends Socket {
  /** What it is made of. */
  readonly bundle: Bundle;
}

/** Make a socket of an engine. */
export function stripedSocket(
  engine: BundleEngine,
  facts: SocketFacts,
  size: Pick<Bundle, "sockets" | "resize">,
): StripedSocket {
  const bundle: Bundle = {
    get sockets() {
      return size.sockets;
    },
    get members() {
      return [...engine.members];
    },
    get heldBytes() {
      return engine.outgoing.heldBytes;
    },
    get resentBytes() {
      return engine.outgoing.resentBytes;
    },
    resize: (sockets) => size.resize(sockets),
  };
  return Object.defineProperty(createSocket(engine.driver, facts), "bundle", {
    value: bundle,
    enumerable: true,
  }) as StripedSocket;
}

/** The size of a bundle on the accepting side, which the other side decides on. */
export function acceptingSize(engine: BundleEngine): Pick<Bundle, "sockets" | "resize"> {
  return {
    get sockets() {
      return engine.members.length;
    },
    resize() {
      throw unsupported("resize", "the connecting side says how many sockets a bundle has");
    },
  };
}
