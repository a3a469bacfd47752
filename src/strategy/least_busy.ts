import { LinkedList, type LinkedNode } from "./linked_list.ts";
import { type Loaded, loadOf } from "./loaded.ts";
import { Rotation, type RotationNode } from "./rotation.ts";
import type { Picker, StatefulStrategy } from "./strategy.ts";

/**
 * The available one with the least load.
 *
 * Among equal loads it takes turns: the one comes first that has been available with this load for
 * the longest time, and after a choice from a group the others' turn comes. Within a group the
 * member comes first that became available first.
 *
 * A choice costs the same whatever the number of candidates, and so does a load that changes by
 * small steps. A load that jumps costs, at worst, a look at the different loads that there are.
 *
 * @example Four sockets to two servers
 * ```ts
 * import { leastBusy, type Loaded, startStrategy } from "@jackfield/jackfield/core";
 *
 * class Server {
 *   load = 0;
 * }
 * class Connection implements Loaded {
 *   group: Server;
 *   constructor(server: Server) {
 *     this.group = server;
 *   }
 *   get load(): number {
 *     return this.group.load;
 *   }
 * }
 *
 * const [one, other] = [new Server(), new Server()];
 * const connections = [one, one, other, other].map((server) => new Connection(server));
 * const picker = startStrategy(leastBusy<Connection>());
 * for (const connection of connections) picker.added?.(connection);
 *
 * one.load = 2;
 * picker.changed?.(connections[0]!); // Said of one, it holds for both.
 * if (picker.pick([], undefined)?.group !== other) throw new Error("unexpected");
 * ```
 */
export function leastBusy<Candidate extends Loaded>(): StatefulStrategy<Candidate, unknown> {
  return { name: "least-busy", start: () => new LeastBusyPicker<Candidate>() };
}

/** A candidate, whether it is available or not. */
interface Member<Candidate> extends LinkedNode<Member<Candidate>> {
  readonly candidate: Candidate;
  readonly group: Group<Candidate>;
  available: boolean;
}

/** Candidates with one load, of which some may be available. */
interface Group<Candidate> extends LinkedNode<Group<Candidate>> {
  /** The object that they have in common; a single candidate is its own. */
  readonly key: object;
  /** The available ones. */
  readonly members: LinkedList<Member<Candidate>>;
  /** Where it stands while one is available. */
  bucket: Bucket<Candidate> | undefined;
}

/** Groups with the same load. */
class Bucket<Candidate> implements RotationNode<Bucket<Candidate>> {
  before: Bucket<Candidate> | undefined = undefined;
  after: Bucket<Candidate> | undefined = undefined;
  available = false;
  rotation: object | undefined = undefined;
  /** The load. */
  readonly turn: number;
  readonly groups: LinkedList<Group<Candidate>> = new LinkedList();

  constructor(load: number) {
    this.turn = load;
  }
}

class LeastBusyPicker<Candidate extends Loaded> implements Picker<Candidate, unknown> {
  readonly window = 0;
  // Weak, because a candidate that is in use comes back, or is never heard of again.
  #members = new WeakMap<Candidate, Member<Candidate>>();
  #groups = new WeakMap<object, Group<Candidate>>();
  #buckets = new Map<number, Bucket<Candidate>>();
  /** The buckets that are not empty, the least load first. */
  #order = new Rotation<Bucket<Candidate>>();

  pick(): Candidate | undefined {
    return this.#order.first?.groups.first?.members.first?.candidate;
  }

  added(candidate: Candidate): void {
    const load = loadOf(candidate);
    const member = this.#memberOf(candidate);
    const { group } = member;
    if (!member.available) {
      member.available = true;
      group.members.append(member);
    }
    if (group.bucket?.turn !== load) this.#toTheEnd(group, load);
  }

  removed(candidate: Candidate): void {
    const member = this.#members.get(candidate);
    if (member === undefined || !member.available) return;
    const { group } = member;
    // A last one may be gone for good, so its load is not asked for.
    if (group.members.size > 1) this.#toTheEnd(group, loadOf(candidate));
    else this.#leave(group);
    member.available = false;
    group.members.remove(member);
  }

  changed(candidate: Candidate): void {
    const member = this.#members.get(candidate);
    if (member === undefined || !member.available) return;
    const load = loadOf(candidate);
    if (member.group.bucket!.turn !== load) this.#toTheEnd(member.group, load);
  }

  /** What is known of a candidate; what it belongs to is read when it becomes available. */
  #memberOf(candidate: Candidate): Member<Candidate> {
    const known = this.#members.get(candidate);
    const key = candidate.group ?? candidate;
    if (known !== undefined && (known.available || known.group.key === key)) return known;
    let group = this.#groups.get(key);
    if (group === undefined) {
      const members = new LinkedList<Member<Candidate>>();
      group = { key, members, bucket: undefined, before: undefined, after: undefined };
      this.#groups.set(key, group);
    }
    const member = { candidate, group, available: false, before: undefined, after: undefined };
    this.#members.set(candidate, member);
    return member;
  }

  /** Behind all groups that have this load: it is their turn first. */
  #toTheEnd(group: Group<Candidate>, load: number): void {
    let bucket = this.#buckets.get(load);
    if (bucket === undefined) {
      bucket = new Bucket(load);
      this.#buckets.set(load, bucket);
      this.#order.insert(bucket);
    }
    const before = group.bucket;
    before?.groups.remove(group);
    bucket.groups.append(group);
    group.bucket = bucket;
    if (before !== undefined) this.#tidy(before);
  }

  #leave(group: Group<Candidate>): void {
    const bucket = group.bucket!;
    bucket.groups.remove(group);
    group.bucket = undefined;
    this.#tidy(bucket);
  }

  #tidy(bucket: Bucket<Candidate>): void {
    if (bucket.groups.size > 0) return;
    this.#buckets.delete(bucket.turn);
    this.#order.remove(bucket);
  }
}
