import { type Host, type InterfaceAddress, unsupported } from "../transport/mod.ts";
import type { AddressLease, AddressLeaseRequest, AddressSource } from "./address_source.ts";
import { type IpFamily, normalIp } from "./ip.ts";

/** Which addresses of the host's interfaces. */
export interface InterfaceSelection {
  /**
   * The name of the interface, such as `eth0`.
   *
   * @default {every interface}
   */
  readonly interface?: string;
  /**
   * 4 or 6.
   *
   * @default {both}
   */
  readonly family?: IpFamily;
  /**
   * How far the address reaches: this host, its link, or beyond. One of a link needs a zone, which no
   * list of addresses can name, so these have to be asked for.
   *
   * @default {"host" and "global"}
   */
  readonly scope?: InterfaceAddress["scope"];
}

/** What the interfaces of the host have. */
export class InterfaceAddresses implements AddressSource {
  readonly name: string;
  #selection: InterfaceSelection;
  #host: Host | undefined;
  #addresses: readonly string[] = [];

  /** Checks the selection; the interfaces are read when a table starts. */
  constructor(selection: InterfaceSelection) {
    const { interface: name, family, scope } = selection;
    if (family !== undefined && family !== 4 && family !== 6) {
      throw new TypeError(`Cannot use family "${family}": expected 4 or 6`);
    }
    if (scope !== undefined && !["host", "link", "global"].includes(scope)) {
      throw new TypeError(`Cannot use scope "${scope}": expected "host", "link" or "global"`);
    }
    this.#selection = selection;
    const words = [scope, family && `IPv${family}`, "addresses of", name ?? "this host"];
    this.name = words.filter(Boolean).join(" ");
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get size(): number {
    return this.#addresses.length;
  }

  start(host: Host): void {
    if (host.interfaces === undefined) {
      throw unsupported("hostAddresses()", "this host does not tell its interfaces");
    }
    this.#host = host;
    this.refresh();
  }

  refresh(): void {
    const { interface: name, family, scope } = this.#selection;
    const found = this.#host!.interfaces!.list().filter((address) =>
      (name === undefined || address.interface === name) &&
      (family === undefined || address.family === family) &&
      (scope === undefined ? address.scope !== "link" : address.scope === scope)
    );
    this.#addresses = [...new Set(found.map(({ hostname }) => normalIp(hostname)))];
  }

  lease({ hostname }: AddressLeaseRequest): AddressLease | undefined {
    return hostname === undefined ? undefined : { hostname, release: () => {} };
  }
}
