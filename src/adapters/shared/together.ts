/** Somebody who waits for his part of a run. */
interface Waiter<Item, Result> {
  readonly item: Item;
  readonly done: (result: Result) => void;
  readonly failed: (reason: unknown) => void;
}

/**
 * Does together what is asked for at the same time: one run at a time, and whatever is asked for
 * while it is on its way goes into the next one. So many small requests cost as few runs as one large
 * one, and a single one waits for nobody.
 */
export class Together<Item, Result> {
  #run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>;
  #maxItems: number;
  #waiting: Waiter<Item, Result>[] = [];
  #running = false;

  /** `run` gives a result, or an error, for each item, in their order. */
  constructor(
    run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>,
    maxItems: number,
  ) {
    this.#run = run;
    this.#maxItems = maxItems;
  }

  /** Ask for one of them. */
  ask(item: Item): Promise<Result> {
    return new Promise((done, failed) => {
      this.#waiting.push({ item, done, failed });
      if (!this.#running) void this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#running = true;
    await Promise.resolve(); // Whatever is asked for in the same turn goes along.
    while (this.#waiting.length > 0) {
      const waiters = this.#waiting.splice(0, this.#maxItems);
      try {
        const results = await this.#run(waiters.map(({ item }) => item));
        for (const [index, { done, failed }] of waiters.entries()) {
          const result = results[index]!;
          if (result instanceof Error) failed(result);
          else done(result);
        }
      } catch (error) {
        for (const { failed } of waiters) failed(error);
      }
    }
    this.#running = false;
  }
}
