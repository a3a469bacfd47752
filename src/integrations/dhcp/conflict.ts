import { type Ended, mayRun, runProgram } from "../../adapters/shared/run_program.ts";

/** Whether somebody else on the network has an address. */
export type ConflictCheck = (hostname: string) => Promise<boolean>;

/** Exit codes of `arping -D`: nobody has answered, or somebody has; another one means that it cannot. */
const FREE = 0;
const TAKEN = 1;

/**
 * The check by arping(8) of iputils, on one interface: a question in nobody's name (RFC 5227), which
 * disturbs no neighbour's table. `undefined` where it is not installed or not permitted.
 */
export async function arpingCheck(interfaceName: string): Promise<ConflictCheck | undefined> {
  // Another program of that name has other options.
  if (!mayRun("arping") || !(await run("-V"))?.stdout.includes("iputils")) return undefined;
  const ask = (hostname: string) =>
    run("-q", "-D", "-c", "1", "-w", "1", "-I", interfaceName, hostname);
  // It needs the right to send raw packets: nobody has this address, so that is all it can fail for.
  if ((await ask("0.0.0.0"))?.code !== FREE) return undefined;
  return async (hostname) => (await ask(hostname))?.code === TAKEN;
}

async function run(...args: readonly string[]): Promise<Ended | undefined> {
  return await runProgram("arping", args).catch(() => undefined);
}
