import type { PortTable } from "./port_table.ts";

/** A local port that is in use; it goes back when the last of its users has let go. */
export class PortHold {
  /** The local address. */
  readonly address: string;
  /** The port. */
  readonly port: number;
  #table: PortTable;
  #destination: string | undefined;
  #users = 1;
  #rests = false;
  #gone: PromiseWithResolvers<void> | undefined;

  /** For one user, of a port that was taken; without a destination it serves all of them. */
  constructor(table: PortTable, address: string, port: number, destination?: string) {
    this.#table = table;
    this.address = address;
    this.port = port;
    this.#destination = destination;
  }

  /** Resolves when the port has gone back. */
  get gone(): Promise<void> {
    this.#gone ??= Promise.withResolvers();
    if (this.#users === 0) this.#gone.resolve();
    return this.#gone.promise;
  }

  /** Whether somebody uses it still. */
  get isHeld(): boolean {
    return this.#users > 0;
  }

  /** One more user. */
  retain(): this {
    this.#users++;
    return this;
  }

  /** Let it rest when it goes back: somebody else has it. */
  rest(): void {
    this.#rests = true;
  }

  /** One user less. */
  release(): void {
    if (--this.#users > 0) return;
    const how = this.#rests ? "rest" : "giveBack";
    this.#table[how](this.address, this.port, this.#destination);
    this.#gone?.resolve();
  }
}
