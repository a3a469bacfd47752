/** What a DHCP source has seen. */
export interface DhcpStats {
  /** How many addresses are leased now. */
  readonly leased: number;
  /** Messages to servers, those included that were sent again. */
  readonly sent: number;
  /** How many of them were sent again for want of an answer. */
  readonly resent: number;
  /** Datagrams that came. */
  readonly received: number;
  /** Those that were no messages of DHCP, or impossible ones. */
  readonly malformed: number;
  /** Answers to others, to a request that was answered already, or that do not fit their request. */
  readonly foreign: number;
  /** Requests that a server refused (DHCPNAK). */
  readonly refused: number;
  /** Addresses that somebody else on the network had (DHCPDECLINE). */
  readonly conflicts: number;
  /** Offers of an address that is leased already, or on its way. */
  readonly duplicates: number;
  /** Requests that nobody answered in time. */
  readonly unanswered: number;
  /**
   * Who looks whether somebody else has an address: this host with `arping -D`, the function that was
   * given, or the server alone; `undefined` before the first lease.
   */
  readonly conflictCheck: "arping" | "function" | "server" | undefined;
}

/** The same while it is counted. */
export type DhcpCounts = { -readonly [Key in Exclude<keyof DhcpStats, "leased">]: DhcpStats[Key] };

/** Nothing seen yet. */
export function newCounts(): DhcpCounts {
  return {
    sent: 0,
    resent: 0,
    received: 0,
    malformed: 0,
    foreign: 0,
    refused: 0,
    conflicts: 0,
    duplicates: 0,
    unanswered: 0,
    conflictCheck: undefined,
  };
}
