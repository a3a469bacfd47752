import { type Clock, JackfieldError, type Socket, type TimeoutPhase } from "../transport/mod.ts";

/** Options of {@linkcode runHook}. */
export interface HookOptions {
  /** The socket that it works at; when that ends, so does the wait for the function. */
  readonly socket: Socket;
  /** Measures the time limit. */
  readonly clock: Clock;
  /** Milliseconds; `Infinity` for no limit. */
  readonly timeoutMs: number;
  /** Aborted when the pool ends. */
  readonly stop: AbortSignal;
  /** Stands in the error. */
  readonly what: string;
  /** Stands in the error. */
  readonly phase: TimeoutPhase;
}

/**
 * Run a function of the user's that is to be done in time.
 *
 * The promise settles when the time is over, the socket ends or the pool ends, whether or not the function heeds its
 * signal; what becomes of it afterwards is of no interest to anybody.
 */
export function runHook<T>(
  hook: (signal: AbortSignal) => T | Promise<T>,
  options: HookOptions,
): Promise<T> {
  const { socket, clock, timeoutMs, stop, what, phase } = options;
  return new Promise<T>((resolve, reject) => {
    if (stop.aborted) return reject(stop.reason);
    const controller = new AbortController();
    let waiting = true;
    const leave = () => {
      waiting = false;
      cancel();
      stop.removeEventListener("abort", giveUp);
    };
    const refuse = (reason: unknown) => {
      leave();
      reject(reason);
      controller.abort(reason);
    };
    const giveUp = () => refuse(stop.reason);
    const ended = (cause?: unknown) => {
      if (!waiting || socket.state === "gone") return; // Gone: something better stands in for it.
      const message = `Cannot ${what} socket: the connection ended`;
      refuse(new JackfieldError("SOCKET_CLOSED", message, { operation: what, cause }));
    };
    const cancel = timeoutMs === Infinity ? () => {} : clock.schedule(timeoutMs, () => {
      const message = `Cannot ${what} socket: ${what} was not done in ${timeoutMs} ms`;
      refuse(
        new JackfieldError("POOL_TIMEOUT", message, { operation: what, phase, limit: timeoutMs }),
      );
    });
    stop.addEventListener("abort", giveUp, { once: true });
    socket.closed.then(() => ended(), ended);
    let begun: T | Promise<T>;
    try {
      begun = hook(controller.signal);
    } catch (error) {
      leave();
      return reject(error);
    }
    Promise.resolve(begun).then(resolve, reject).then(leave);
  });
}
