// Runs the tests of downloads once more, with managers in a thread or a process of their own.
import { after } from "node:test";
import { systemTransport } from "../../../mod.ts";
import { runtime } from "../../harness.ts";
import { placed } from "../tools.ts";

/** Files whose tests say nothing about where a manager works, and see most of what it does. */
export const SOME: readonly string[] = [
  "control_test.ts",
  "download_manager_test.ts",
  "hooks_test.ts",
];

/** All such files; tests/long/ runs them. */
export const ALL: readonly string[] = [
  ...SOME,
  "close_test.ts",
  "connection_test.ts",
  "listing_test.ts",
  "many_clients_test.ts",
  "paths_test.ts",
  "serve_downloads_test.ts",
  "shares_test.ts",
  "unreliable_test.ts",
];

/** Register them for a placement. */
export async function runSuites(
  placement: "thread" | "process",
  suites: readonly string[] = SOME,
): Promise<void> {
  // Opens the C library, which stays open, before a test is watched for what it leaves.
  if (placement === "thread") await systemTransport().host.descriptors?.();
  placed.placement = placement;
  // Bun has one process for all files, and perhaps one copy of every module.
  if (runtime === "bun") after(() => delete placed.placement);
  for (const suite of suites) {
    await import(new URL(`../${suite}?${placement}`, import.meta.url).href);
  }
}
