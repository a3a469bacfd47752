import { formatAddress, permissionDenied } from "../../transport/mod.ts";
import { denoGlobal, type DenoPermission } from "./runtime.ts";

/** What a permission is needed for. */
export type Operation = "connect" | "listen";

/** Whether every address may be used. */
let everywhere: { readonly state: string } | undefined;

const WORDS: Readonly<Record<Operation, string>> = { connect: "connect to", listen: "listen on" };

/**
 * Throw instead of letting Deno ask at the terminal, which would stop the whole program.
 *
 * @throws {JackfieldError} `PERMISSION_DENIED`, with the flag to run with.
 */
export function needNet(
  operation: Operation,
  hostname: string,
  port: number,
  words: string = WORDS[operation],
): void {
  if (isAllowedEverywhere()) return;
  // An IPv6 literal without brackets would be read as a name with a port.
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  const flag = `--allow-net=${port === 0 ? name : `${name}:${port}`}`;
  need({ name: "net", host: `${name}:${port}` }, operation, `${words} ${name}`, flag);
}

/** The same for the address to connect from, which Deno checks like one to listen on. */
export function needLocal(hostname: string, port: number): void {
  needNet("connect", hostname, port, "connect from");
}

/** Whether every address may be used. The state is live, so one look at it serves every call. */
function isAllowedEverywhere(): boolean {
  // A query takes 2.6 µs.
  everywhere ??= denoGlobal().permissions.querySync({ name: "net" });
  return everywhere.state === "granted";
}

/** The same for a Unix socket, which Deno treats as a file to read and write. */
export function needPath(operation: Operation, path: string): void {
  const words = `${WORDS[operation]} ${formatAddress({ path })}`;
  if (path.startsWith("\0")) {
    // Not a file: Deno asks for the network, under a name that no flag could be given.
    if (!isAllowedEverywhere()) throw permissionDenied(operation, "--allow-net", { words });
    return;
  }
  need({ name: "read", path }, operation, words, `--allow-read=${path}`);
  need({ name: "write", path }, operation, words, `--allow-write=${path}`);
}

function need(
  permission: DenoPermission,
  operation: Operation,
  words: string,
  flag: string,
): void {
  const { state } = denoGlobal().permissions.querySync(permission);
  if (state !== "granted") throw permissionDenied(operation, flag, { words });
}
