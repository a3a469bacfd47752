/**
 * Moves a live socket to another owner: in the same thread, in another thread, in another process,
 * and back. A socket has one owner at a time: the old handle is dead before the new one exists.
 *
 * {@linkcode handOff} moves it within the thread. A {@linkcode HandoffChannel} moves it over a link
 * to a thread or a process; both ends have one, and both may send.
 *
 * ```text
 * sender                                         receiver
 * ------                                         --------
 * send(socket)   socket is `gone`
 *   1 writing    its pending writes end
 *   2 waiting    for a place in flight
 *   3 parking    reading stops, what was read
 *                ahead is collected
 *   4 offered    parked copy A ──offer + copy B──▶ 5 arrived   copy B, parked
 *                                                    6 refused   drops B
 *                A resumed ◀────────refused────────┘
 *                                                    7 adopted   says so, then resumes B
 *   8 moved      drops A     ◀──────adopted────────┘            onSocket(socket, data)
 * ```
 *
 * Who owns the connection: the sender up to 4, and while it is on its way; the receiver from 7 on.
 * Both copies are silent in between: nobody reads or writes, so that nothing can be lost or doubled.
 * A process touches its copy only when its `adopted` is with the system, and the sender judges the end
 * of a link only after the last message of it; a thread touches its copy when it has taken it in the
 * ledger, where the sender can no longer withdraw it. So one of them has the connection, whoever dies:
 *
 * | what goes wrong | up to 3 | at 4 to 7 | after 8 |
 * | --- | --- | --- | --- |
 * | the deadline passes | comes back | thread: comes back, or has moved; process: aborted | |
 * | the other end dies | comes back | not adopted: comes back; adopted: the system closes it | the system closes it |
 * | the other end refuses | | comes back | |
 * | the data cannot be sent | | comes back | |
 * | the connection breaks | closed | the next owner finds it out | |
 *
 * "Comes back" is a new socket for `onReturn`; without that it is aborted. "Aborted" at 4 to 7 is
 * for the one case in which nobody can tell: a process that lives and does not answer. What makes a
 * copy is the link's business: a process gets it in a message (SCM_RIGHTS, unix(7)); a thread takes
 * up a duplicated descriptor, and one word of shared memory says whether it has been taken or
 * withdrawn. This room sees opaque tokens only, no descriptor numbers.
 *
 * A connection can also be lent: {@linkcode HandoffChannel.lend}. Then the other end tells of its end,
 * or sends it back, and with the other end it ends. The same is told of every connection of which
 * somebody wants to know (`onEnd` of its facts), such as an address table whose port it has: it ends
 * for the table when it ends wherever it is, and what goes back to the end that it has come from is
 * the same to that table as if it had never left.
 *
 * @module
 */
export {
  HandoffChannel,
  type HandoffChannelOptions,
  type HandoffStage,
} from "./handoff_channel.ts";
export { LentSocket } from "./lent_socket.ts";
export type { Loan } from "./loan.ts";
export { handOff } from "./same_thread.ts";
export type { LendOptions, SendOptions } from "./send_options.ts";
