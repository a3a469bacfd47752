import process from "node:process";
import { JackfieldError } from "../core.ts";

/** Standard output as a stream, for `-o -`. It is not closed: the program may have more to say. */
export function standardOutput(): WritableStream<Uint8Array> {
  const { stdout } = process;
  // Each failed write is told to its callback; without a listener it would end the program, too.
  stdout.on("error", () => {});
  return new WritableStream({
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stdout.write(bytes, (error) => error ? reject(writeError(error)) : resolve());
      }),
  });
}

/** Whoever read may have left, as `head` does. */
function writeError(cause: Error & { readonly code?: string }): JackfieldError {
  const { code: osCode, message } = cause;
  const why = osCode === "EPIPE" ? "nobody reads it any more" : message;
  const facts = { operation: "write", osCode, cause };
  return new JackfieldError("FILE_FAILED", `Cannot write to standard output: ${why}`, facts);
}
