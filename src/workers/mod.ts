/**
 * Threads that share the work of sockets.
 *
 * A {@linkcode WorkerGroup} starts N threads with one script and has a strategy choose among them, as
 * a pool does among sockets; the thread's side is a `GroupMember`, which the entry `./worker` makes.
 *
 * ```text
 *             group                                        thread (each of N)
 *             -----                                        ------------------
 * assign      socket ─▶ strategy ─▶ handoff ──socket──▶ handler(socket, { data, signal })
 *             bound  ◀─────────────────────adopted───┘       │
 *             ended  ◀──────────────"ended"── closes it ─────┤
 *             socket ◀──────────────handoff── returns it ────┘
 * serveFramed socket ─▶ frame ─▶ strategy ──request──▶ handler(request)
 *             socket ◀─ in order ◀──────────answer────────┘
 * listen                                    kernel ─▶ accept ─▶ handler(socket, …)
 * ```
 *
 * Who owns a socket: with `assign` the thread, from `bound` to `ended`; with `serveFramed` the group;
 * with `listen` the thread that has accepted it. A binding has three states: `moving`, `bound` and
 * `ended`. When a thread dies, the bindings that it had end as `lost` and the system closes their
 * sockets; those on their way go to another thread; requests that it had fail. Where a thread's end
 * does not close its descriptors (`StartedOwner.mayHoldOn`), the group keeps a duplicate of each
 * socket that is bound, the tether, by which it cuts the connection.
 *
 * @module
 */
export type { Binding, BindingEnd } from "./binding.ts";
export type { WorkerCandidate, WorkerRequest } from "./candidate.ts";
export type { FramedOptions, Framing } from "./framed_socket.ts";
export type {
  AssignSocketOptions,
  CloseGroupOptions,
  UnbindOptions,
  WorkerGroupOptions,
} from "./group_options.ts";
export type { WorkerStage } from "./group_thread.ts";
export {
  GroupMember,
  type MemberOptions,
  type RequestHandler,
  type RequestWork,
  type SocketHandler,
  type SocketWork,
} from "./member.ts";
export { WorkerGroup } from "./worker_group.ts";
export type { GroupListenOptions } from "./words.ts";
