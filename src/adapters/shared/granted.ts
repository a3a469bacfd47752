import { type JackfieldError, permissionDenied } from "../../transport/mod.ts";

/** A permission of Deno, as far as threads and processes need one. */
export type NeededPermission =
  | { readonly name: "run"; readonly command: string }
  | { readonly name: "env" | "ffi" }
  | { readonly name: "read"; readonly path: string }
  | { readonly name: "import"; readonly host: string };

interface DenoLike {
  readonly permissions: {
    querySync(permission: NeededPermission): { readonly state: string };
  };
}

const deno = (globalThis as unknown as { readonly Deno?: DenoLike }).Deno;

/** The error for a permission of Deno that is missing; `undefined` when it is granted. Never asks. */
export function missing(
  permission: NeededPermission,
  operation: string,
  words: string,
): JackfieldError | undefined {
  if (deno === undefined || deno.permissions.querySync(permission).state === "granted") {
    return undefined;
  }
  const value = "command" in permission
    ? permission.command
    : "path" in permission
    ? permission.path
    : "host" in permission
    ? permission.host
    : undefined;
  const flag = `--allow-${permission.name}${value === undefined ? "" : `=${value}`}`;
  return permissionDenied(operation, flag, { words });
}
