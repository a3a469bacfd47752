import type { RotationNode } from "../strategy/mod.ts";
import type { JackfieldError } from "../transport/mod.ts";
import { familyOfIp, type IpFamily } from "./ip.ts";
import type { Tenure } from "./tenure.ts";

/** What a strategy sees of an address that it may choose. */
export interface AddressCandidate {
  /** The IP literal. */
  readonly hostname: string;
  /** How many descriptors have it now. */
  readonly descriptors: number;
  /** The same number, under the name by which strategies compare. */
  readonly load: number;
}

/** Who uses an address, and is told when it is lost. */
export interface AddressUser {
  /** The number that the table issued. */
  readonly descriptor: number;
  /** The address is lost: nothing may be sent from it any more. */
  lose(error: JackfieldError): void;
}

/** An address of the table. */
export class Candidate implements AddressCandidate, RotationNode<Candidate> {
  readonly hostname: string;
  /** 4 or 6. */
  readonly family: IpFamily;
  /** Whether the source lists it, so that it stays a candidate when nobody has it. */
  isListed: boolean;
  /** How many descriptors have it now, those included that wait for its lease. */
  descriptors = 0;
  /** Those who are told when it is lost. */
  readonly users: Set<AddressUser> = new Set();
  /** Its lease and what belongs to it; `undefined` while nobody needs it. */
  tenure: Tenure | undefined;
  /** Resolves when its tenure has begun (`true`), or cannot (`false`). */
  taking: Promise<boolean> | undefined;
  /** Whether it is being given back. */
  isEnding = false;
  /** Set when the lease was lost: it is replaced, and has no part in the table any more. */
  lost: JackfieldError | undefined;
  turn = 0;
  before: Candidate | undefined;
  after: Candidate | undefined;
  available = false;
  rotation: object | undefined;

  /** An address that nobody has yet. */
  constructor(hostname: string, isListed: boolean) {
    this.hostname = hostname;
    this.family = familyOfIp(hostname);
    this.isListed = isListed;
  }

  get load(): number {
    return this.descriptors;
  }
}
