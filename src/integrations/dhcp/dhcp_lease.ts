import type { AddressLease } from "../../address_table/mod.ts";
import { JackfieldError } from "../../transport/mod.ts";
import { exchange, type ExchangeTools } from "./exchange.ts";
import { colonHex } from "./identity.ts";
import type { DhcpReply } from "./reply.ts";
import { extend, release, type Requester } from "./requests.ts";
import { renewWaitMs } from "./retries.ts";
import { type Terms, termsOf } from "./terms.ts";

/** What came of asking for more time. */
type Renewal = { readonly terms: Terms } | { readonly refusal: string };

/** An address that a DHCP server has leased. */
export class DhcpLease implements AddressLease {
  readonly hostname: string;
  readonly owner: string;
  readonly token: string;
  #tools: ExchangeTools;
  #requester: Requester;
  #terms: Terms;
  #ended: (lease: DhcpLease) => Promise<void>;
  #renewing: Promise<void> | undefined;
  #releasing: Promise<void> | undefined;
  #over = new AbortController();

  /** `ended` is called once, when it has been given back. */
  constructor(
    tools: ExchangeTools,
    requester: Requester,
    hostname: string,
    terms: Terms,
    token: string,
    ended: (lease: DhcpLease) => Promise<void>,
  ) {
    this.#tools = tools;
    this.#requester = requester;
    this.hostname = hostname;
    this.#terms = terms;
    this.owner = colonHex(requester.clientIdentifier);
    this.token = token;
    this.#ended = ended;
  }

  get expiresAtMs(): number | undefined {
    return finite(this.#terms.endsAtMs);
  }

  get renewAtMs(): number | undefined {
    return finite(this.#terms.renewAtMs);
  }

  /** Ask its server until T2, then every server, until one answers or the lease is over. */
  renew(): Promise<void> {
    return this.#renewing ??= this.#renew().finally(() => this.#renewing = undefined);
  }

  /** Tell the server, unless the address may be somebody else's by now. */
  release(): Promise<void> {
    return this.#releasing ??= this.#release();
  }

  async #renew(): Promise<void> {
    if (this.#isOver) throw this.#lostError("it has expired");
    const renewal = await exchange<Renewal>(this.#tools, {
      requester: this.#requester,
      next: () => this.#transmission(),
      accept: (reply, sentAtMs) => this.#accept(reply, sentAtMs),
      signal: this.#over.signal,
    });
    // An answer that lay here while this process was stopped does not bring back what was over.
    if (this.#isOver) throw this.#lostError("it expired before a server answered");
    if (renewal === undefined) throw this.#lostError("no server answered");
    if ("terms" in renewal) this.#terms = renewal.terms;
    else this.#refuse(renewal.refusal);
  }

  #transmission() {
    const nowMs = this.#tools.clock.now();
    const { server, rebindAtMs, endsAtMs } = this.#terms;
    if (nowMs >= endsAtMs) return undefined;
    const isRebinding = nowMs >= rebindAtMs;
    return {
      request: extend(this.#requester, this.hostname),
      ...(isRebinding ? {} : { server }),
      waitMs: renewWaitMs((isRebinding ? endsAtMs : rebindAtMs) - nowMs, endsAtMs - nowMs),
    };
  }

  #accept(reply: DhcpReply, sentAtMs: number): Renewal | undefined {
    const { counts, random } = this.#tools;
    if (reply.type === "nak") {
      counts.refused++;
      return { refusal: reply.words };
    }
    if (reply.type !== "ack" || reply.hostname !== this.hostname) return undefined;
    return { terms: termsOf(reply, sentAtMs, random) };
  }

  /** The server has taken it back: it is over now. */
  #refuse(words: string): never {
    this.#terms = { ...this.#terms, endsAtMs: this.#tools.clock.now() };
    throw this.#lostError(`its server refused to renew it${words === "" ? "" : `, "${words}"`}`);
  }

  async #release(): Promise<void> {
    this.#over.abort(this.#lostError("it was given back"));
    const { wire } = this.#tools;
    const { server } = this.#terms;
    try {
      if (this.#isOver) return;
      await wire.tell(release(this.#requester, this.hostname, server), server);
      this.#terms = { ...this.#terms, endsAtMs: this.#tools.clock.now() };
    } finally {
      await this.#ended(this);
    }
  }

  get #isOver(): boolean {
    return this.#tools.clock.now() >= this.#terms.endsAtMs;
  }

  #lostError(why: string): JackfieldError {
    const message = `Cannot use address ${this.hostname}: its lease is lost, ${why}`;
    return new JackfieldError("ADDRESS_LEASE_LOST", message, { localAddress: this.hostname });
  }
}

function finite(timeMs: number): number | undefined {
  return timeMs === Infinity ? undefined : timeMs;
}
