import process from "node:process";
import type { OwnerEnd, SuccessionLink } from "../../transport/mod.ts";
import { environmentVariable } from "./environment_variable.ts";
import { isOnMainThread, systemParent } from "./system_parent.ts";
import { SUCCESSOR_VARIABLE } from "./system_successors.ts";

/** How often it is looked whether the old process is still there. */
const LOOK_MS = 250;

let found: { readonly link: SuccessionLink | undefined } | undefined;

/** The link to the process from which this one is to take over; `undefined` in any other. */
export function systemPredecessor(): SuccessionLink | undefined {
  return (found ??= { link: findPredecessor() }).link;
}

function findPredecessor(): SuccessionLink | undefined {
  // Without a channel nobody can have started it so, and there is nothing to ask for.
  if (process.send === undefined || !isOnMainThread()) return undefined;
  if (environmentVariable(SUCCESSOR_VARIABLE) !== `${process.ppid}`) return undefined;
  delete process.env[SUCCESSOR_VARIABLE]; // The children of this process succeed nobody.
  const parent = systemParent()!;
  return Object.assign(parent, {
    pid: process.ppid,
    ended: Promise.race([parent.ended, untilOrphaned()]),
    leave: () => {
      if (process.connected) process.disconnect();
    },
  });
}

/** Deno 2.9.6 does not tell of the end of a channel that was just being written to. */
function untilOrphaned(): Promise<OwnerEnd> {
  const { ppid } = process;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === ppid) return;
      clearInterval(timer);
      resolve({ reason: "exited" });
    }, LOOK_MS);
    timer.unref();
  });
}
