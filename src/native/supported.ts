import process from "node:process";
import { isJackfieldError } from "../transport/mod.ts";
import { type Libc, openLibc } from "./libc.ts";

/** Major versions in which the private parts that are relied on were seen to be as expected. */
const TESTED = { deno: "2", bun: "1" } as const;
/** Machines whose layouts are known. */
const MACHINES: readonly string[] = ["x64", "arm64"];

/**
 * The C library, or in plain words why it cannot be used here. It never asks and never throws: who
 * finds it missing goes on without it.
 */
export function libcOrReason(): Libc | string {
  const { versions, arch } = process;
  if (versions.deno === undefined && versions.bun === undefined) {
    return "Node has no foreign functions";
  }
  const [name, version] = versions.deno === undefined
    ? ["bun" as const, versions.bun!]
    : ["deno" as const, versions.deno];
  if (version.split(".", 1)[0] !== TESTED[name]) {
    return `it is tested with ${name} ${TESTED[name]}, and this is ${version}`;
  }
  if (!MACHINES.includes(arch)) return `it knows ${MACHINES.join(" and ")}, and this is ${arch}`;
  try {
    return openLibc();
  } catch (error) {
    if (isJackfieldError(error, "PERMISSION_DENIED")) return "it needs --allow-ffi";
    if (isJackfieldError(error)) return error.message;
    return `the C library cannot be opened (${(error as Error).message})`;
  }
}
