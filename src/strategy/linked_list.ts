/** A member of a {@linkcode LinkedList}, which keeps its place in it. */
export interface LinkedNode<T> {
  before: T | undefined;
  after: T | undefined;
}

/**
 * A doubly linked list through its members: any of them leaves in O(1), and nothing is allocated.
 * It trusts its user: a member is in one list at a time, and leaves the one that it is in.
 */
export class LinkedList<T extends LinkedNode<T>> {
  /** The first member. */
  first: T | undefined;
  /** The last member. */
  last: T | undefined;
  /** How many members there are. */
  size = 0;

  /** Put a node behind a member, or at the front. */
  insertAfter(before: T | undefined, node: T): void {
    const after = before === undefined ? this.first : before.after;
    node.before = before;
    node.after = after;
    if (before === undefined) this.first = node;
    else before.after = node;
    if (after === undefined) this.last = node;
    else after.before = node;
    this.size++;
  }

  /** Put a node at the end. */
  append(node: T): void {
    this.insertAfter(this.last, node);
  }

  /** Take a member out. */
  remove(node: T): void {
    const { before, after } = node;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.last = before;
    else after.before = before;
    node.before = node.after = undefined;
    this.size--;
  }
}
