import type { AddressLease, AddressLeaseRequest, AddressSource } from "../../address_table/mod.ts";
import { type Clock, delay, type Host, unsupported } from "../../transport/mod.ts";
import { acquire, type Acquired } from "./acquire.ts";
import { arpingCheck, type ConflictCheck } from "./conflict.ts";
import { noServer, onlyConflicts, unusable } from "./dhcp_errors.ts";
import { DhcpLease } from "./dhcp_lease.ts";
import type { ExchangeTools } from "./exchange.ts";
import { clientIdentifier, hardwareBytes, inventedHardware } from "./identity.ts";
import { Lanes } from "./lanes.ts";
import { type DhcpSettings, ownAddress } from "./options.ts";
import { decline, type Requester } from "./requests.ts";
import { Slots } from "./slots.ts";
import { StateFile } from "./state_file.ts";
import { type DhcpStats, newCounts } from "./stats.ts";
import { Wire } from "./wire.ts";

/**
 * So many ask at a time, until a server offers one address to two of them: some know a host by its
 * hardware address as long as nothing is leased. From then on they go one at a time.
 */
const LANES = 16;
const PROBES = 16;

/** How often a server may spoil a try before it is given up, and the pause before the next one. */
const TRIES = 3;
const PAUSE_MS = 1000;

/** How many addresses are leased and given back again to find one that its table can use. */
const MAX_ASIDE = 8;

/** After silence others are spared the same wait for so long. */
const QUIET_MS = 5000;

/** What the source knows from the table that asks it. */
interface Running {
  readonly tools: ExchangeTools;
  readonly host: Host;
  readonly localAddress: string | undefined;
}

/** Addresses of DHCP servers as a source for an address table. */
export class DhcpSource implements AddressSource {
  readonly name: string;
  readonly size: number;
  #settings: DhcpSettings;
  #counts = newCounts();
  #running: Running | undefined;
  #slots: Slots;
  /** The addresses that are leased, or on their way, by the number of their lease. */
  #held = new Map<string, number>();
  #leases = new Set<DhcpLease>();
  #owner: string | undefined;
  #token = 0;
  #stateFile: StateFile | undefined;
  #opening: Promise<void> | undefined;
  #check: ConflictCheck | undefined;
  #lanes = new Lanes(LANES);
  #probes = new Lanes(PROBES);
  #quietUntilMs = -Infinity;

  /** With checked options. */
  constructor(settings: DhcpSettings) {
    this.#settings = settings;
    this.#slots = new Slots(settings.maxLeases);
    this.name = `DHCP on ${settings.interface}`;
    this.size = settings.maxLeases;
  }

  start(host: Host, clock: Clock): void {
    if (this.#held.size > 0) {
      throw new TypeError(`Cannot use ${this.name} in two address tables: expected one for each`);
    }
    const { stateFile, interface: name, server, random } = this.#settings;
    const { datagrams, interfaces, files } = host;
    if (datagrams === undefined || interfaces === undefined) {
      throw unsupported("dhcpAddresses()", "this host has no datagrams, or tells no interfaces");
    }
    if (stateFile !== undefined && files === undefined) {
      throw unsupported("stateFile", "this host has no files");
    }
    const hardware = interfaces.hardwareAddress?.(name);
    const localAddress = ownAddress(this.#settings, interfaces.list(), hardware !== undefined);
    const counts = this.#counts;
    const wire = new Wire({ datagrams, interfaces }, clock, {
      interface: name,
      localAddress,
      server,
    }, counts);
    this.#running = { tools: { wire, clock, random, counts }, host, localAddress };
    this.#opening = undefined;
  }

  /** What was seen so far. */
  stats(): DhcpStats {
    return { leased: this.#leases.size, ...this.#counts };
  }

  async lease(request: AddressLeaseRequest): Promise<AddressLease | undefined> {
    const { hostname, family, isUnusable } = request;
    if (family === 6) return undefined;
    await this.#open();
    // The server chooses, so what the table cannot use is held back until a better one has come.
    const aside: DhcpLease[] = [];
    try {
      while (aside.length < MAX_ASIDE) {
        const lease = await this.#leaseOne(hostname);
        if (lease === undefined) return undefined;
        if (hostname === undefined ? !isUnusable(lease.hostname) : lease.hostname === hostname) {
          return lease;
        }
        aside.push(lease);
        if (hostname !== undefined) return undefined; // Somebody else has it.
      }
      return undefined;
    } finally {
      // What cannot be given back ends by itself, and must not take the good one away.
      for (const lease of aside) await lease.release().catch(() => {});
    }
  }

  /** Read the state and look for helpers, once; a failure is told to who asks, and tried again. */
  #open(): Promise<void> {
    return this.#opening ??= this.#openOnce().catch((error) => {
      this.#opening = undefined;
      throw error;
    });
  }

  async #openOnce(): Promise<void> {
    const { host } = this.#running!;
    const { stateFile: path, interface: name, probe, owner } = this.#settings;
    if (path !== undefined && this.#stateFile === undefined) {
      const file = new StateFile(host.files!, path, () => this.#state());
      const state = await file.read();
      if (state !== undefined && (owner === undefined || owner === state.owner)) {
        this.#owner = state.owner;
        this.#token = state.token;
        this.#slots.restore(state.leases.map(({ slot, hostname }) => [slot, hostname]));
      }
      this.#stateFile = file;
    }
    this.#owner ??= owner ?? crypto.randomUUID();
    if (typeof probe === "function") this.#check = probe;
    else if (probe) this.#check ??= await arpingCheck(name);
    this.#counts.conflictCheck = this.#check === undefined
      ? "server"
      : typeof probe === "function"
      ? "function"
      : "arping";
  }

  async #leaseOne(wanted: string | undefined): Promise<DhcpLease | undefined> {
    const { tools } = this.#running!;
    const taken = this.#slots.take(tools.clock);
    if (taken === undefined) return undefined;
    const { slot, saved } = taken;
    tools.wire.enter();
    let lease: DhcpLease | undefined;
    try {
      lease = await this.#find(slot, saved, wanted);
    } finally {
      if (lease === undefined) {
        this.#slots.free(slot, tools.clock);
        await tools.wire.leave();
      }
    }
    if (lease === undefined) return undefined;
    this.#leases.add(lease);
    try {
      await this.#stateFile?.save();
      return lease;
    } catch (error) {
      await lease.release().catch(() => {}); // The first failure is told.
      throw error;
    }
  }

  /** An address that nobody else has. */
  async #find(
    slot: number,
    saved: string | undefined,
    wanted: string | undefined,
  ): Promise<DhcpLease | undefined> {
    const { tools } = this.#running!;
    const requester = this.#requester(slot);
    for (let conflicts = 0;; saved = undefined) {
      const acquired = await this.#acquire(slot, requester, saved, wanted);
      if (acquired === undefined) return undefined;
      const { hostname, terms } = acquired;
      try {
        if (!await this.#hasConflict(hostname)) {
          this.#token = Math.max(this.#token + 1, microsecondsNow());
          const ended = (lease: DhcpLease) => this.#ended(lease, slot);
          return new DhcpLease(tools, requester, hostname, terms, String(this.#token), ended);
        }
        this.#counts.conflicts++;
        await tools.wire.tell(decline(requester, hostname, terms.server), terms.server);
      } catch (error) {
        this.#held.delete(hostname);
        throw error;
      }
      this.#held.delete(hostname);
      // A client should wait for ten seconds, lest it goes on for ever (RFC 2131, 3.1): it ends here.
      if (++conflicts === TRIES) throw onlyConflicts(this.#settings.interface, hostname);
    }
  }

  /** What a server gives to one who takes his turn; `undefined` when it has no more. */
  async #acquire(
    slot: number,
    requester: Requester,
    saved: string | undefined,
    wanted: string | undefined,
  ): Promise<Extract<Acquired, { readonly kind: "leased" }> | undefined> {
    const { tools: { clock }, tools } = this.#running!;
    const { timeoutMs, interface: name } = this.#settings;
    for (let spoilt = 0;;) {
      const isAlone = await this.#lanes.enter();
      let acquired: Acquired = { kind: "silent" };
      try {
        if (clock.now() >= this.#quietUntilMs) {
          acquired = await acquire(tools, {
            requester,
            saved,
            wanted,
            deadlineMs: clock.now() + timeoutMs,
            claim: (hostname) => !this.#held.has(hostname) && !!this.#held.set(hostname, slot),
            unclaim: (hostname) => void this.#held.delete(hostname),
          });
          this.#quietUntilMs = acquired.kind === "silent" ? clock.now() + QUIET_MS : -Infinity;
        }
      } finally {
        this.#lanes.leave();
      }
      if (acquired.kind === "leased") return acquired;
      if (acquired.kind === "silent") return this.#silent();
      if (acquired.kind === "duplicate") this.#counts.duplicates++;
      this.#lanes.narrow();
      if (!isAlone) continue;
      if (++spoilt === TRIES) throw unusable(name, acquired);
      await delay(clock, PAUSE_MS);
    }
  }

  /** Who has given addresses before and is silent now has no more of them. */
  #silent(): undefined {
    if (this.#leases.size > 0) return undefined;
    const { interface: name, server, timeoutMs } = this.#settings;
    throw noServer(name, server, timeoutMs);
  }

  async #hasConflict(hostname: string): Promise<boolean> {
    if (this.#check === undefined) return false;
    await this.#probes.enter();
    try {
      return await this.#check(hostname);
    } finally {
      this.#probes.leave();
    }
  }

  async #ended(lease: DhcpLease, slot: number): Promise<void> {
    this.#leases.delete(lease);
    this.#held.delete(lease.hostname);
    const { wire, clock } = this.#running!.tools;
    this.#slots.free(slot, clock);
    this.#quietUntilMs = -Infinity;
    try {
      await this.#stateFile?.save();
    } finally {
      await wire.leave();
    }
  }

  #requester(slot: number): Requester {
    const { host, localAddress: relayAddress } = this.#running!;
    const { interface: name, leaseMs } = this.#settings;
    const hardware = host.interfaces!.hardwareAddress?.(name);
    const owner = this.#owner!;
    return {
      hardwareAddress: hardware === undefined ? inventedHardware(owner) : hardwareBytes(hardware),
      clientIdentifier: clientIdentifier(owner, slot),
      relayAddress,
      leaseMs,
    };
  }

  #state() {
    const held = [...this.#leases].map(({ hostname }) => ({
      slot: this.#held.get(hostname)!,
      hostname,
    }));
    const saved = [...this.#slots.saved].map(([slot, hostname]) => ({ slot, hostname }));
    return { owner: this.#owner!, token: this.#token, leases: [...held, ...saved] };
  }
}

/** DHCP knows no fencing tokens: the time of the grant grows, too, from one owner to the next. */
function microsecondsNow(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000);
}
