import type { StillSocket } from "../../handoff/still_socket.ts";
import type { ManagedDownload } from "../download.ts";
import type { MovedConnection } from "./words.ts";

/** A connection of this process that stands still, and is to move. */
export interface StillMoved {
  /** Its own copy. */
  readonly still: StillSocket;
  /** What goes along. */
  readonly moved: MovedConnection;
  /** What was being sent on it. */
  readonly download: ManagedDownload | undefined;
}
