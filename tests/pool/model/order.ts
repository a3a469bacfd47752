import type { Ask } from "./ask.ts";
import type { PoolModel } from "./pool_model.ts";
import { TENANTS } from "./settings.ts";

const NAMES = Object.keys(TENANTS);
/** For sums of shares, which are no whole numbers. */
const ROUNDING = 1e-6;

/**
 * Who may come before whom: first in, first out with priorities inside a tenant, and shares
 * between tenants that differ by no more than one turn of each while both have somebody waiting.
 */
export class OrderWatch {
  #model: PoolModel;
  /** How many had called when it looked last. */
  #asked = 0;
  /** What one tenant got since both have waited, for its weight: by both places in `NAMES`. */
  #served: number[][] = NAMES.map(() => NAMES.map(() => 0));

  /** Nobody was granted anything yet. */
  constructor(model: PoolModel) {
    this.#model = model;
  }

  /** Look at what was granted since the last time; gives what is wrong. */
  look(): string | undefined {
    const { granted, refusedByFailure } = this.#model;
    const wrong = this.#overtaken(granted) ?? this.#unfair(granted, refusedByFailure > 0);
    this.#model.granted = [];
    this.#model.refusedByFailure = 0;
    this.#asked = this.#model.asked;
    return wrong;
  }

  #overtaken(granted: readonly Ask[]): string | undefined {
    for (const ask of granted) {
      for (const other of this.#model.open) {
        if (comesBefore(other, ask)) return `${other.number} waits, and ${ask.number} was granted`;
      }
      for (const later of granted) {
        if (later.leaseNumber > ask.leaseNumber && comesBefore(later, ask)) {
          return `${ask.number} was granted before ${later.number}`;
        }
      }
    }
    return undefined;
  }

  #unfair(granted: readonly Ask[], isDisturbed: boolean): string | undefined {
    const waits = NAMES.map(() => false);
    let tenants = 0;
    for (const { tenant, number } of this.#model.open) {
      const place = NAMES.indexOf(tenant);
      if (number >= this.#asked || waits[place]) continue;
      waits[place] = true;
      tenants++;
    }
    if (tenants < 2 || isDisturbed) {
      for (const row of this.#served) row.fill(0);
      return undefined;
    }
    for (const { tenant } of granted) {
      const row = this.#served[NAMES.indexOf(tenant)]!;
      for (let other = 0; other < row.length; other++) row[other]! += 1 / TENANTS[tenant]!;
    }
    for (let one = 0; one < NAMES.length; one++) {
      for (let other = 0; other < one; other++) {
        if (!waits[one] || !waits[other]) {
          this.#served[one]![other] = this.#served[other]![one] = 0;
          continue;
        }
        const ahead = Math.abs(this.#served[one]![other]! - this.#served[other]![one]!);
        const [name, otherName] = [NAMES[one]!, NAMES[other]!];
        if (ahead > 1 / TENANTS[name]! + 1 / TENANTS[otherName]! + ROUNDING) {
          return `"${name}" and "${otherName}" are ${ahead} turns apart`;
        }
      }
    }
    return undefined;
  }
}

/** Whether one had to be granted before the other, who was granted now. */
function comesBefore(one: Ask, granted: Ask): boolean {
  if (one.tenant !== granted.tenant) return false;
  if (granted.askedAtLease === undefined) {
    return one.priority === granted.priority && one.number < granted.number;
  }
  if (one.number >= granted.askedAtLease) return false; // It came after the lease.
  return one.rank < granted.rank || (one.rank === granted.rank && one.number < granted.number);
}
