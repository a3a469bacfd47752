import { Together } from "../../adapters/shared/together.ts";
import { type Files, isJackfieldError, JackfieldError } from "../../transport/mod.ts";
import { isUuid } from "./identity.ts";

/** What a restart has to know. */
export interface DhcpState {
  /** The name under which servers know this host. */
  readonly owner: string;
  /** The fencing token of the latest lease. */
  readonly token: number;
  /** The addresses, by the number of their lease. */
  readonly leases: readonly { readonly slot: number; readonly hostname: string }[];
}

const VERSION = 1;
const MAX_BYTES = 2 ** 24;

/**
 * A file with what is leased. When a lease ends it does not say: only a server knows that after a
 * restart, and it is asked.
 */
export class StateFile {
  #files: Files;
  #path: string;
  #state: () => DhcpState;
  /** Changes at one time are written once. */
  #writes = new Together<void, void>(async (waiting) => {
    await this.#write();
    return waiting.map(() => undefined);
  }, Infinity);

  /** `state` is what is to be written. */
  constructor(files: Files, path: string, state: () => DhcpState) {
    this.#files = files;
    this.#path = path;
    this.#state = state;
  }

  /**
   * What it says; `undefined` when there is none.
   *
   * @throws {JackfieldError} `FILE_FAILED`.
   */
  async read(): Promise<DhcpState | undefined> {
    if (await this.#files.lookUp(this.#path) === undefined) return undefined;
    const file = await this.#files.open(this.#path);
    try {
      const { size } = await file.stat();
      const bytes = new Uint8Array(Math.min(size, MAX_BYTES));
      let count = 0;
      for (let more = 1; more > 0 && count < bytes.byteLength; count += more) {
        more = await file.read(bytes.subarray(count), count);
      }
      return this.#parse(new TextDecoder().decode(bytes.subarray(0, count)));
    } finally {
      await file.close();
    }
  }

  /**
   * Write what is leased now; resolves when it has reached the disk.
   *
   * @throws {JackfieldError} `FILE_FAILED`.
   */
  save(): Promise<void> {
    return this.#writes.ask();
  }

  /** Beside it, and then in its place: it is never seen half written. */
  async #write(): Promise<void> {
    const { owner, token, leases } = this.#state();
    const text = JSON.stringify({ jackfield: "dhcp", version: VERSION, owner, token, leases });
    const beside = `${this.#path}.new`;
    const file = await this.#files.open(beside, { create: true });
    try {
      await file.write(new TextEncoder().encode(`${text}\n`), 0);
      await file.sync?.();
    } finally {
      await file.close();
    }
    await this.#files.rename(beside, this.#path);
  }

  #parse(text: string): DhcpState {
    try {
      const { jackfield, version, owner, token, leases } = JSON.parse(text);
      const fits = jackfield === "dhcp" && version === VERSION && isUuid(owner) &&
        Number.isSafeInteger(token) && Array.isArray(leases) && leases.every(isLease);
      if (fits) return { owner, token, leases };
      throw new Error("it is none of this version");
    } catch (cause) {
      if (isJackfieldError(cause)) throw cause;
      const why = (cause as Error).message;
      const message = `Cannot use state file "${this.#path}": ${why}; remove it to begin anew`;
      throw new JackfieldError("FILE_FAILED", message, { operation: "read", cause });
    }
  }
}

function isLease(value: unknown): boolean {
  const { slot, hostname } = (value ?? {}) as Record<string, unknown>;
  return Number.isInteger(slot) && (slot as number) >= 0 && (slot as number) <= 0xffff_ffff &&
    typeof hostname === "string" && /^(\d{1,3}\.){3}\d{1,3}$/.test(hostname);
}
