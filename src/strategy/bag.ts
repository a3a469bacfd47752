/** An item and its place among the others; -1 while it is not in. */
interface Slot<T> {
  readonly item: T;
  place: number;
}

/** Items in no order, each once: adding, removing and drawing one by its place are O(1). */
export class Bag<T> {
  #slots: Slot<T>[] = [];
  // An object's slot is kept for when it comes back: a table from which entries go with every choice
  // is built anew every few thousand, which takes milliseconds when it is large.
  #ofObjects = new WeakMap<object, Slot<T>>();
  #ofValues = new Map<T, Slot<T>>();

  /** How many there are. */
  get size(): number {
    return this.#slots.length;
  }

  /** The one at this place; the places change with every removal. */
  at(place: number): T | undefined {
    return this.#slots[place]?.item;
  }

  /** Put one in, unless it is in already. */
  add(item: T): void {
    let slot = this.#slotOf(item);
    if (slot === undefined) {
      slot = { item, place: -1 };
      if (isObject(item)) this.#ofObjects.set(item, slot);
      else this.#ofValues.set(item, slot);
    }
    if (slot.place === -1) slot.place = this.#slots.push(slot) - 1;
  }

  /** Take one out, if it is in; the last one takes its place. */
  remove(item: T): void {
    const slot = this.#slotOf(item);
    if (slot === undefined || slot.place === -1) return;
    const last = this.#slots.pop()!;
    if (last !== slot) {
      this.#slots[slot.place] = last;
      last.place = slot.place;
    }
    slot.place = -1;
    if (!isObject(item)) this.#ofValues.delete(item);
  }

  #slotOf(item: T): Slot<T> | undefined {
    return isObject(item) ? this.#ofObjects.get(item) : this.#ofValues.get(item);
  }
}

/**
 * A whole number from 0 to below `count`, by a number that was drawn.
 *
 * @throws {RangeError} When what was drawn is not from 0 to below 1.
 */
export function placeOf(drawn: number, count: number): number {
  if (drawn >= 0 && drawn < 1) return Math.floor(drawn * count);
  throw new RangeError(`Cannot use random number "${drawn}": expected one from 0 to below 1`);
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
