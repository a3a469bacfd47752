import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bunCommand, denoCommand, nodeCommand } from "../../tests/support/tools.ts";
import { Lines } from "../addresses/lines.ts";
import type { Runtime } from "../support/child.ts";
import type { OurFacts, OurPlan, OurStart } from "./our_facts.ts";
import { familyOf } from "./process_facts.ts";

/** A server under test, in a process of its own. */
export interface ServerProcess {
  /** Where it is. */
  readonly port: number;
  /** What it is. */
  readonly version: string;
  /** Its process and all below it. */
  pids(): number[];
  /** What it says of itself; nginx says nothing. */
  facts(): Promise<OurFacts | undefined>;
  /** End it, and whatever it has started. */
  end(): Promise<void>;
}

/** How the library's server is started. */
export interface OurServerOptions extends Partial<OurPlan> {
  /** Options of `serveDownloads`; `root` among them. */
  readonly options: OurPlan["options"] & { readonly root: string };
}

/** Start the library's server in a runtime, with the permissions that it needs and no more. */
export async function startOurs(
  runtime: Runtime,
  { options, collect = false, engine = "copy" }: OurServerOptions,
): Promise<ServerProcess> {
  const file = fileURLToPath(new URL("our_server.ts", import.meta.url));
  const plan: OurPlan = { options, collect, engine };
  const words = [...commandOf(runtime, plan), file, JSON.stringify(plan)];
  const child = spawnWithDescriptors(words, "pipe");
  const lines = new Lines(child);
  try {
    const { port, pid, version } = await lines.next<OurStart>();
    return {
      port,
      version,
      pids: () => familyOf(pid),
      facts: () => {
        lines.tell();
        return lines.next<OurFacts>();
      },
      end: () => ended(child, () => lines.kill()),
    };
  } catch (error) {
    lines.kill();
    throw error;
  }
}

/** Start a program in a group of its own, with as many descriptors as the system permits. */
export function spawnWithDescriptors(
  words: readonly string[],
  output: "pipe" | "inherit",
): ChildProcess {
  const raise = 'ulimit -n "$(ulimit -Hn)" && exec "$@"';
  return spawn("sh", ["-c", raise, "sh", ...words], {
    stdio: ["pipe", output, "inherit"],
    detached: true, // npx's child ends with it.
    env: { ...process.env, NO_COLOR: "1", npm_config_loglevel: "error" },
  });
}

/** Resolves when a child that is told to end has ended. */
export async function ended(child: ChildProcess, tell: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  tell();
  await exit;
}

function commandOf(runtime: Runtime, { options, collect, engine }: OurPlan): string[] {
  if (runtime === "bun") return bunCommand();
  const expose = collect ? ["--expose-gc"] : [];
  if (runtime === "node") {
    return [...nodeCommand(), ...expose, "--disable-warning=ExperimentalWarning"];
  }
  const flags = expose.map((flag) => `--v8-flags=${flag}`);
  // FFI ends the sandbox in any case.
  const permissions = engine === "sendfile"
    ? ["--allow-all"]
    : ["--allow-net", `--allow-read=${options.root}`];
  return [...denoCommand(), "run", "--no-check", ...permissions, ...flags];
}
