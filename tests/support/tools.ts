// The pinned tools, and how to start each of them. Uses only node: modules, so that Deno, Bun and
// Node can all read it.
import { spawnSync } from "node:child_process";
import process from "node:process";

/** The Deno of the README's commands. */
export const DENO = "deno@2.9.6";
/** The Bun that runs the tests. */
export const BUN = "bun@1.4.5";
/** The Node that runs the tests where the machine's own is too old. */
export const NODE = "node@22.23.3";

/** The first Node that runs TypeScript without a flag. */
const NODE_MIN: readonly [major: number, minor: number] = [22, 18];

/** The command that starts Deno: this very one, if this is Deno. */
export function denoCommand(): string[] {
  return "Deno" in globalThis ? [process.execPath] : ["npx", "-y", DENO];
}

/** The command that starts Bun. npm 12 runs its install script only when told so. */
export function bunCommand(): string[] {
  return ["npx", "-y", "--allow-scripts=bun", BUN];
}

/** The command that starts Node: the machine's own if it is new enough, else one from npm. */
export function nodeCommand(): string[] {
  const { stdout } = spawnSync("node", ["--version"], { encoding: "utf8" });
  const [major = 0, minor = 0] = (stdout ?? "").replace(/^v/, "").split(".").map(Number);
  const fresh = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return fresh ? ["node"] : ["npx", "-y", NODE];
}
