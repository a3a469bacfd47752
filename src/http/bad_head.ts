import { JackfieldError } from "../transport/mod.ts";

/** Which kind of head is wrong. */
export type BadHeadCode = "HTTP_BAD_REQUEST" | "HTTP_BAD_RESPONSE";

/** The error for a head that breaks the protocol; for a request with the status of the answer. */
export function badHead(code: BadHeadCode, why: string, status = 400): JackfieldError {
  if (code === "HTTP_BAD_RESPONSE") {
    return new JackfieldError(code, `Cannot read response: ${why}`, { operation: "read" });
  }
  return new JackfieldError(code, `Cannot read request: ${why}`, { operation: "read", status });
}

/** Text for an error message: short, and without control characters. */
export function shorten(text: string): string {
  // deno-lint-ignore no-control-regex -- they are what is taken out
  return text.slice(0, 60).replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
