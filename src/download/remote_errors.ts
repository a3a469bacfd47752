import { JackfieldError, type OwnerEnd } from "../transport/mod.ts";

/** The thread or process of a manager has ended, and what it served with it. */
export function lostError(
  kind: "thread" | "process",
  end: OwnerEnd,
  operation: string = "send",
): JackfieldError {
  const cause = end.error;
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  const signal = end.signal === undefined ? "" : ` by ${end.signal}`;
  const code = end.exitCode === undefined ? "" : ` with code ${end.exitCode}`;
  const how = end.reason === "terminated"
    ? "was ended"
    : `has ended${signal}${code}${signal || code || why ? "" : " by itself"}${why}`;
  const message = `Cannot ${operation} download: the manager's ${kind} ${how}`;
  return new JackfieldError("DOWNLOAD_LOST", message, { operation, cause });
}
