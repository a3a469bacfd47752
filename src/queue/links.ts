/** One that can stand in a list; it knows which, and who stands beside it. */
export class Link {
  list: LinkList | undefined = undefined;
  before: Link | undefined = undefined;
  after: Link | undefined = undefined;
}

/** Links in the order in which they came; any of them leaves in O(1), and nothing is allocated. */
export class LinkList {
  first: Link | undefined = undefined;
  #last: Link | undefined = undefined;

  /** Put one that is in no list at the end. */
  push(link: Link): void {
    const last = this.#last;
    link.list = this;
    link.before = last;
    if (last === undefined) this.first = link;
    else last.after = link;
    this.#last = link;
  }

  /** Take one of this list out. */
  delete(link: Link): void {
    const { before, after } = link;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    link.list = undefined;
    link.before = undefined;
    link.after = undefined;
  }
}
