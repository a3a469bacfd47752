import { Link, LinkList } from "./links.ts";

/** So many new members may always have turns at once. */
const LEAST_ENTRIES = 64;

/** One that takes turns with others: its credit, and its place among them. */
export class RoundMember extends Link {
  /** How many bytes it may still send in this round; less than 0 for what it has had too much. */
  credit = 0;
  /** What a round adds to the credit; a turn never takes more. */
  refillBytes: number;
  /** The round that its credit is for. */
  round = 0;
  /** The round in which it had its turn, and made nothing of it. */
  passedRound = -1;

  /** It has no credit and no place. */
  constructor(refillBytes: number) {
    super();
    this.refillBytes = refillBytes;
  }
}

/**
 * Members that take turns, in rounds: each round gives each of them its credit once.
 *
 * Some may still send in this round; the others have had their share and wait for the next one. So it
 * does not matter when within a round a member goes and comes back: it has its share of the round if
 * it comes back before the end, and to make that likely it is next then. For rounds that it missed
 * it has one more share, and not more.
 *
 * A member goes on while it has any credit at all, and owes what the turn took beyond it. Otherwise
 * turns would fall into small pieces.
 */
export class Rounds<Member extends RoundMember> {
  /** How many have a place. */
  size = 0;
  /** Counts the rounds. */
  round = 0;
  /** How many new members may still have turns in this round. */
  #entries = LEAST_ENTRIES;
  /** Those that have come back in time for this round, */
  #back: LinkList = new LinkList();
  /** those that may send in it after them, */
  #current: LinkList = new LinkList();
  /** and those that wait for the next one. */
  #coming: LinkList = new LinkList();

  /** A new member, before it joins: as many as there were may still have turns in this round. */
  enter(member: Member): void {
    // Those that come without end would keep the round from ending.
    member.round = this.#entries > 0 ? this.round - 1 : this.round;
    this.#entries--;
  }

  /** A member that has no place takes one. */
  join(member: Member): void {
    this.size++;
    (this.#mayGoOn(member) ? this.#current : this.#coming).push(member);
  }

  /** The same for one that was kept from sending. */
  comeBack(member: Member): void {
    this.size++;
    (this.#mayGoOn(member) ? this.#back : this.#coming).push(member);
  }

  /** A member gives its place up, and keeps its credit. */
  leave(member: Member): void {
    this.size--;
    member.list!.delete(member);
  }

  /** Who is next; it has credit. */
  first(): Member | undefined {
    let member = (this.#back.first ?? this.#current.first) as Member | undefined;
    if (member === undefined) {
      if (this.size === 0) return undefined;
      const empty = this.#current;
      this.#current = this.#coming;
      this.#coming = empty;
      this.round++;
      this.#entries = this.size > LEAST_ENTRIES ? this.size : LEAST_ENTRIES;
      member = this.#current.first! as Member;
    }
    if (member.round !== this.round) this.#refill(member);
    return member;
  }

  /** A member's turn has taken its bytes: the others are next. */
  step(member: Member): void {
    member.list!.delete(member);
    (this.#mayGoOn(member) ? this.#current : this.#coming).push(member);
  }

  /** What a turn did not need is given back; a member that waits for the next round may return. */
  giveBack(member: Member, bytes: number): void {
    member.credit += bytes;
    if (member.list === this.#coming) this.step(member);
  }

  /** Whether a new member would have more to send than this one, which has no place. */
  isBehind({ credit, refillBytes, round }: Member): boolean {
    return credit + (this.round - round - 1) * refillBytes < 0;
  }

  /** A member made nothing of its turn: it has no other one in this round. */
  pass(member: Member): void {
    member.passedRound = this.round;
  }

  #mayGoOn({ credit, passedRound, round }: Member): boolean {
    return (round !== this.round || credit > 0) && passedRound !== this.round;
  }

  #refill(member: RoundMember): void {
    const { refillBytes } = member;
    const credit = member.credit + (this.round - member.round) * refillBytes;
    member.credit = credit < 2 * refillBytes ? credit : 2 * refillBytes;
    member.round = this.round;
  }
}
