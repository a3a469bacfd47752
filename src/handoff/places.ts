/** A bounded number of places; who comes when all are taken waits in line. */
export class Places {
  #free: number;
  #line = new Set<() => void>();

  /** So many places. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Take a place at once; whether there is one. */
  tryTake(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Wait in line; `granted` is called when there is a place. The result leaves the line. */
  wait(granted: () => void): () => void {
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
