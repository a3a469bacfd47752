import { VirtualClock } from "../../../src/testing/mod.ts";

/** Virtual time that counts the turns of the event loop. */
export class ModelClock extends VirtualClock {
  /** In one turn everything happens that needs no time. */
  turn = 0;

  override settle(): Promise<void> {
    return super.settle().then(() => {
      this.turn++;
    });
  }
}
