/** A bounded number of places; who comes when all are taken waits in line. */
export class Places {
  #free: number;
  #line = new Set<() => void>();

  /** So many places. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Take a place; `granted` is called when there is one. The result leaves the line. */
  take(granted: () => void): () => void {
    if (this.#free > 0) {
      this.#free--;
      granted();
      return () => {};
    }
    this.#line.add(granted);
    return () => void this.#line.delete(granted);
  }

  /** Give a place back. */
  pass(): void {
    for (const granted of this.#line) {
      this.#line.delete(granted);
      granted();
      return;
    }
    this.#free++;
  }
}
