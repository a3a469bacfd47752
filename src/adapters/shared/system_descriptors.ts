import process from "node:process";
import {
  type Descriptors,
  type JackfieldError,
  permissionDenied,
  unsupported,
} from "../../transport/mod.ts";

interface DenoLike {
  readonly permissions: {
    querySync(permission: { readonly name: "ffi" }): { readonly state: string };
  };
}

const { Deno: deno, Bun: bun } = globalThis as unknown as {
  readonly Deno?: DenoLike;
  readonly Bun?: unknown;
};

let load: (() => Promise<Descriptors>) | undefined;

/**
 * Say how the native part is loaded: it stands above the adapters, and only who brings a whole system
 * together knows both.
 */
export function provideDescriptors(how: () => Promise<Descriptors>): void {
  load ??= how;
}

/** See {@linkcode Host.descriptors}; `undefined` where there can be none. */
export function systemDescriptors(): (() => Promise<Descriptors>) | undefined {
  return deno === undefined && bun === undefined ? undefined : load;
}

/** Why connections cannot be duplicated here; `undefined` when they can. It never asks. */
export function checkDescriptors(): JackfieldError | undefined {
  if (deno === undefined && bun === undefined) {
    return unsupported("descriptors", "Node cannot duplicate the descriptor of a socket");
  }
  if (process.platform !== "linux") {
    const reason = `it is measured on Linux only, and this is ${process.platform}`;
    return unsupported("descriptors", reason);
  }
  if (deno !== undefined && deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return permissionDenied("duplicate", "--allow-ffi", { words: "duplicate a descriptor" });
  }
  return undefined;
}
