/** Who can be told that its signal was aborted. */
export interface Abortable {
  /** The signal that it was added with is aborted now, or was before. */
  aborted(reason: unknown): void;
}

interface Group {
  readonly members: Set<Abortable>;
  readonly listener: () => void;
}

/**
 * Who gives up when a signal is aborted: one listener on each signal, however many wait with it.
 *
 * With a thousand listeners on one signal each one more costs several microseconds.
 *
 * @example
 * ```ts
 * import { Aborts } from "@jackfield/jackfield/core";
 *
 * const aborts = new Aborts();
 * const controller = new AbortController();
 * const reasons: unknown[] = [];
 * const waiter = { aborted: (reason: unknown) => reasons.push(reason) };
 * aborts.add(controller.signal, waiter);
 * controller.abort("enough");
 * if (reasons[0] !== "enough") throw new Error("unexpected");
 * ```
 */
export class Aborts {
  #groups = new Map<AbortSignal, Group>();

  /** How many signals are listened to. */
  get size(): number {
    return this.#groups.size;
  }

  /** Tell `member` when the signal is aborted; once, and not within this call. */
  add(signal: AbortSignal, member: Abortable): void {
    let group = this.#groups.get(signal);
    if (group === undefined) {
      const members = new Set<Abortable>();
      const listener = () => {
        this.#groups.delete(signal);
        signal.removeEventListener("abort", listener);
        for (const one of members) one.aborted(signal.reason);
      };
      group = { members, listener };
      this.#groups.set(signal, group);
      signal.addEventListener("abort", listener);
    }
    group.members.add(member);
  }

  /** Tell `member` no more. Nothing is left at a signal with which nobody waits. */
  remove(signal: AbortSignal, member: Abortable): void {
    const group = this.#groups.get(signal);
    if (group === undefined || !group.members.delete(member) || group.members.size > 0) return;
    this.#groups.delete(signal);
    signal.removeEventListener("abort", group.listener);
  }
}
