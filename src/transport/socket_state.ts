/** The states of a socket; it is in exactly one. */
export type SocketState =
  | "connecting"
  | "open"
  | "half-closed"
  | "closing"
  | "closed"
  | "gone";

/** What moves a socket from one state to the next. */
export type SocketEvent = "opened" | "halved" | "closing" | "closed" | "handed";

/**
 * ```text
 * connecting ─opened─▶ open ─halved─▶ half-closed
 *      │                │ └───────┐        │ │
 *      │             handed    closing  closing handed
 *      │                ▼         ▼        │ │
 *      │              gone     closing ◀───┘ └─▶ gone
 *      └────────closed──────────▶ │
 *                              closed
 * ```
 * `closed` may come from any living state: the peer may reset at any time.
 */
const MOVES: Readonly<Record<SocketState, Partial<Record<SocketEvent, SocketState>>>> = {
  connecting: { opened: "open", closing: "closing", closed: "closed" },
  open: { halved: "half-closed", closing: "closing", closed: "closed", handed: "gone" },
  "half-closed": { closing: "closing", closed: "closed", handed: "gone" },
  closing: { closed: "closed" },
  closed: {},
  gone: {},
};

/**
 * The only function that says which state follows.
 *
 * @throws {Error} When the event cannot happen in this state: a defect of the caller.
 */
export function moveSocket(state: SocketState, event: SocketEvent): SocketState {
  const next = MOVES[state][event];
  if (next === undefined) throw new Error(`Cannot move socket: "${event}" in state "${state}"`);
  return next;
}
