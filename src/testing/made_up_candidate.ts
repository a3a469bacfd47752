import type { PoolCandidate, PoolRequest } from "../pool/mod.ts";
import type { SocketAddress } from "../transport/mod.ts";
import type { Dice } from "./dice.ts";
import type { CandidateMaker } from "./strategy_place.ts";

/** What the sockets to one target share. */
interface MadeUpTarget {
  readonly port: number;
  readonly weight: number;
  load: number;
}

/** A socket of a pool as a strategy sees it, without a socket. */
class MadeUpCandidate implements PoolCandidate {
  readonly name: string;
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  readonly target: undefined = undefined;
  readonly group: MadeUpTarget;
  leases = 0;

  constructor(name: string, number: number, group: MadeUpTarget) {
    this.name = name;
    this.group = group;
    this.localAddress = { hostname: "127.0.0.1", port: 40_000 + number };
    this.remoteAddress = { hostname: "127.0.0.1", port: group.port };
  }

  get load(): number {
    return this.group.load;
  }

  get weight(): number {
    return this.group.weight;
  }
}

/** Candidates like those of a pool with three targets, and who asks for them. */
export function madeUpCandidates(
  place: string,
  dice: Dice,
): CandidateMaker<PoolCandidate, PoolRequest> {
  const targets = [1, 2, 3].map((port) => ({ port, weight: dice.oneOf([1, 1, 2, 3.5]), load: 0 }));
  return {
    candidate: (number) => new MadeUpCandidate(`${place}${number}`, number, dice.oneOf(targets)),
    change(candidate) {
      const made = candidate as MadeUpCandidate;
      made.leases++;
      made.group.load = Math.max(0, made.group.load + dice.below(3) - 1);
    },
    request: () => ({ key: dice.oneOf([undefined, 1, 2, 3]), tenant: dice.oneOf(["", "a"]) }),
  };
}
