import type { Clock } from "../../transport/mod.ts";
import { Alarm } from "./alarm.ts";

/** Memory that was not in use for so long is let go. */
const IDLE_MS = 1000;

/** What keeps memory for later. */
interface Keepers {
  readonly outgoing: { trim(): void };
  readonly incoming: { trim(): void };
}

/** Has spare memory kept as long as bytes flow: to make it anew for every unit costs a third. */
export class MemoryWatch {
  #keepers: Keepers;
  #alarm: Alarm;
  #isBusy = false;

  /** Of these. */
  constructor(keepers: Keepers, clock: Clock) {
    this.#keepers = keepers;
    this.#alarm = new Alarm(clock, IDLE_MS, () => this.#look());
  }

  /** Memory is in use. */
  use(): void {
    this.#isBusy = true;
    this.#alarm.set();
  }

  /** It is over. */
  stop(): void {
    this.#alarm.stop();
  }

  #look(): void {
    if (this.#isBusy) this.#alarm.set();
    else {
      this.#keepers.incoming.trim();
      this.#keepers.outgoing.trim();
    }
    this.#isBusy = false;
  }
}
