import { permissionDenied } from "../../transport/mod.ts";
import { denoGlobal, type DenoPermission } from "./runtime.ts";

/**
 * Throw instead of letting Deno ask at the terminal, which would stop the whole program.
 *
 * @throws {JackfieldError} `PERMISSION_DENIED`, with the flag to run with.
 */
export function needNet(operation: string, hostname: string, port: number): void {
  // An IPv6 literal without brackets would be read as a name with a port.
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  const host = port === 0 ? name : `${name}:${port}`;
  need({ name: "net", host }, operation, `--allow-net=${host}`);
}

/** The same for a Unix socket, which Deno treats as a file to read and write. */
export function needPath(operation: string, path: string): void {
  if (path.startsWith("\0")) return; // Not a file: Deno itself has the last word.
  need({ name: "read", path }, operation, `--allow-read=${path}`);
  need({ name: "write", path }, operation, `--allow-write=${path}`);
}

function need(permission: DenoPermission, operation: string, flag: string): void {
  const { state } = denoGlobal().permissions.querySync(permission);
  if (state !== "granted") throw permissionDenied(operation, flag);
}
