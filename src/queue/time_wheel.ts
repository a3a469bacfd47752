import { Link, LinkList } from "./links.ts";

/** One that waits for its time in a {@linkcode TimeWheel}. */
export class TimeWheelLink extends Link {
  /** When its time comes. */
  dueMs: number = NaN; // not 0, so that engines lay it out as a float from the start
}

/** How many milliseconds the near slots cover, and how many times as much the far ones do. */
const SLOTS = 256;

/**
 * Many that wait for their time, in slots of a millisecond: they come out never early, and up to a
 * millisecond late. To come and to go costs the same with ten and with ten thousand.
 *
 * What is due within 256 ms stands in the slot of its millisecond; what is due later in one of 256
 * wider slots, until its time is near.
 */
export class TimeWheel<Item extends TimeWheelLink> {
  /** How many wait. */
  size = 0;
  /** Every near slot before this millisecond is empty. */
  #tick = -Infinity;
  #near: readonly LinkList[] = Array.from({ length: SLOTS }, () => new LinkList());
  #far: readonly LinkList[] = Array.from({ length: SLOTS }, () => new LinkList());
  /** Those whose time has come. */
  #due: LinkList = new LinkList();
  /** Those whose time never comes. */
  #never: LinkList = new LinkList();
  /** How many stand in slots, and in near ones. */
  #slotted = 0;
  #nearby = 0;

  /** Let one that does not wait do so, until `dueMs`. */
  put(item: Item, nowMs: number): void {
    // Nobody stands in a slot: the wheel need not turn from where it was.
    if (this.#slotted === 0) this.#tick = Math.max(this.#tick, Math.floor(nowMs));
    this.size++;
    this.#place(item);
  }

  /** Let one that waits go. */
  delete(item: Item): void {
    this.size--;
    this.#take(item);
  }

  /** The first one whose time has come; it waits no longer. */
  shift(nowMs: number): Item | undefined {
    const tick = Math.floor(nowMs);
    if (tick >= this.#tick) this.#turn(tick);
    const first = this.#due.first as Item | undefined;
    if (first !== undefined) this.delete(first);
    return first;
  }

  /** When to ask `shift` again: not later than the first one's time comes. */
  get dueMs(): number {
    if (this.#due.first !== undefined) return -Infinity;
    if (this.#slotted === 0) return Infinity;
    let block = Math.floor(this.#tick / SLOTS) + 1;
    if (this.#nearby > 0) {
      let at = this.#tick;
      while (this.#near[at & SLOTS - 1]!.first === undefined) at++;
      // One that was far when it came may have its time before one that was near.
      const isFarSooner = at > block * SLOTS && this.#far[block & SLOTS - 1]!.first !== undefined;
      return isFarSooner ? block * SLOTS : at;
    }
    while (this.#far[block & SLOTS - 1]!.first === undefined) block++;
    return block * SLOTS;
  }

  #place(item: Item): void {
    if (item.dueMs === Infinity) return this.#never.push(item);
    const tick = Math.ceil(item.dueMs);
    const aheadMs = tick - this.#tick;
    if (!(aheadMs >= 0)) return this.#due.push(item);
    this.#slotted++;
    if (aheadMs < SLOTS) {
      this.#nearby++;
      return this.#near[tick & SLOTS - 1]!.push(item);
    }
    // What is too far even for the far slots waits in the last of them, and is placed anew then.
    const last = Math.floor(this.#tick / SLOTS) + SLOTS - 1;
    this.#far[Math.min(Math.floor(tick / SLOTS), last) & SLOTS - 1]!.push(item);
  }

  #take(item: Item): void {
    const list = item.list!;
    list.delete(item);
    if (list === this.#due || list === this.#never) return;
    this.#slotted--;
    // A slot that is near has no other list than the one of the item's own millisecond.
    if (list === this.#near[Math.ceil(item.dueMs) & SLOTS - 1]) this.#nearby--;
  }

  /** Turn to the millisecond behind `tick`. */
  #turn(tick: number): void {
    while (this.#slotted > 0 && this.#tick <= tick) {
      if (this.#nearby > 0) this.#ripen(this.#near[this.#tick & SLOTS - 1]!);
      if (this.#nearby > 0) this.#tick++;
      else this.#tick = Math.min(tick + 1, (Math.floor(this.#tick / SLOTS) + 1) * SLOTS);
      if ((this.#tick & SLOTS - 1) === 0) this.#draw();
    }
    if (this.#tick <= tick) this.#tick = tick + 1;
  }

  #ripen(slot: LinkList): void {
    for (let link = slot.first; link !== undefined; link = slot.first) {
      slot.delete(link);
      this.#slotted--;
      this.#nearby--;
      this.#due.push(link);
    }
  }

  /** What was far is near now. */
  #draw(): void {
    const slot = this.#far[Math.floor(this.#tick / SLOTS) & SLOTS - 1]!;
    for (let link = slot.first; link !== undefined; link = slot.first) {
      slot.delete(link);
      this.#slotted--;
      this.#place(link as Item);
    }
  }
}
