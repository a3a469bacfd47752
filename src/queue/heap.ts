/** What a {@linkcode Heap} holds: it knows its place. */
export interface HeapItem {
  /** Where it stands in the heap that holds it; -1 when none does. Only the heap writes it. */
  index: number;
}

/** The earliest one first; any other can be moved or taken out too, in O(log n). */
export class Heap<Item extends HeapItem> {
  #items: Item[] = [];
  #isEarlier: (one: Item, other: Item) => boolean;

  /** Nothing is in it. */
  constructor(isEarlier: (one: Item, other: Item) => boolean) {
    this.#isEarlier = isEarlier;
  }

  /** How many are in it. */
  get size(): number {
    return this.#items.length;
  }

  /** The earliest one. */
  get first(): Item | undefined {
    return this.#items[0];
  }

  /** Whether an item is in this heap and no other. */
  has(item: Item): boolean {
    return item.index !== -1 && this.#items[item.index] === item;
  }

  /** Put an item in, or at its new place when its order has changed. */
  put(item: Item): void {
    if (item.index === -1) {
      item.index = this.#items.length;
      this.#items.push(item);
    }
    if (this.#items.length > 1 && !this.#rise(item)) this.#sink(item);
  }

  /** Take an item out that is in it. */
  delete(item: Item): void {
    const last = this.#items.pop()!;
    const { index } = item;
    item.index = -1;
    if (last === item) return;
    last.index = index;
    this.#items[index] = last;
    this.put(last);
  }

  /** Take all items out. */
  clear(): void {
    for (const item of this.#items) item.index = -1;
    this.#items = [];
  }

  #rise(item: Item): boolean {
    const items = this.#items;
    const isEarlier = this.#isEarlier;
    let index = item.index;
    while (index > 0) {
      const parent = items[(index - 1) >> 1]!;
      if (!isEarlier(item, parent)) break;
      items[index] = parent;
      parent.index = index;
      index = (index - 1) >> 1;
    }
    if (index === item.index) return false;
    items[index] = item;
    item.index = index;
    return true;
  }

  #sink(item: Item): void {
    const items = this.#items;
    const isEarlier = this.#isEarlier;
    let index = item.index;
    for (let at = 2 * index + 1; at < items.length; at = 2 * index + 1) {
      if (at + 1 < items.length && isEarlier(items[at + 1]!, items[at]!)) at++;
      const child = items[at]!;
      if (!isEarlier(child, item)) break;
      items[index] = child;
      child.index = index;
      index = at;
    }
    items[index] = item;
    item.index = index;
  }
}
