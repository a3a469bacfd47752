import { assertWeight } from "./deficit_round_robin.ts";
import { Held, type HoldKeeper } from "./held.ts";
import type { RateLimit, RateWatcher } from "./rate_limit.ts";

/** A client, as long as it has flows, queued ones included. */
export class Account extends Held {
  readonly name: string;
  readonly weight: number;
  flows = 0;

  /** It has no flows. */
  constructor(name: string, weight: number, limit: RateLimit | undefined, keeper: HoldKeeper) {
    super(limit, keeper);
    this.name = name;
    this.weight = weight;
  }
}

/** What is asked about a client that comes. */
export interface AccountsOptions {
  /** Its share. */
  readonly weightOf: ((client: string) => number) | undefined;
  /** Its limit. */
  readonly rateLimitOf: ((client: string) => RateLimit | undefined) | undefined;
  /** The limit of all. */
  readonly rateLimit: RateLimit | undefined;
}

/** The clients that have flows. Limits that they share are watched as long as there are any. */
export class Accounts {
  #options: AccountsOptions;
  #keeper: HoldKeeper;
  #watcher: RateWatcher;
  #accounts = new Map<string, Account>();

  /** `keeper` is told when a client's limit was changed, `watcher` when that of all was. */
  constructor(options: AccountsOptions, keeper: HoldKeeper, watcher: RateWatcher) {
    this.#options = options;
    this.#keeper = keeper;
    this.#watcher = watcher;
  }

  /** Whether nobody else has flows. */
  hasOnly(client: string): boolean {
    const { size } = this.#accounts;
    return size === 0 || (size === 1 && this.#accounts.has(client));
  }

  /** The share of a client that has flows. */
  weightOf(client: string): number {
    return this.#accounts.get(client)!.weight;
  }

  /**
   * A flow comes.
   *
   * @throws {RangeError} When the weight of the client is out of range.
   */
  enter(client: string): Account {
    const account = this.#accounts.get(client) ?? this.#open(client);
    account.flows++;
    return account;
  }

  /** A flow leaves; whether it was the client's last one. */
  leave(account: Account): boolean {
    if (--account.flows > 0) return false;
    this.#accounts.delete(account.name);
    account.limit?.unwatch(account);
    // A limit may live longer than who uses it.
    if (this.#accounts.size === 0) this.#options.rateLimit?.unwatch(this.#watcher);
    return true;
  }

  #open(client: string): Account {
    const { weightOf, rateLimitOf, rateLimit } = this.#options;
    const weight = weightOf === undefined ? 1 : weightOf(client);
    assertWeight(weight, client);
    const account = new Account(client, weight, rateLimitOf?.(client), this.#keeper);
    if (this.#accounts.size === 0) rateLimit?.watch(this.#watcher);
    this.#accounts.set(client, account);
    account.limit?.watch(account);
    return account;
  }
}
