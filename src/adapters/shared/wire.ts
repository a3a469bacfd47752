/** Carries frames in order; a handle may come along with one. */
export interface Wire<Handle> {
  /** Send a frame; `told`, perhaps within the call, says whether it is with the system. */
  write(frame: unknown, handle?: Handle, told?: (arrives: boolean) => void): void;
  /** Say who gets what comes. To be called once. */
  listen(receive: (frame: unknown, handle: Handle | undefined) => void): void;
}
