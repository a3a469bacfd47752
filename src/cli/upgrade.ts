import process from "node:process";
import type { DownloadServer } from "../../mod.ts";
import { EXIT, explain, say, warn } from "./terminal.ts";

/**
 * Hand over to a new process of the same command line on each SIGUSR2, until one serves; resolves to
 * the exit code when nothing is left in this one. `handedOver` is called in between. To be called
 * before the server is there, or a signal that comes early would end the program.
 */
export function untilUpgraded(
  serving: Promise<DownloadServer>,
  handedOver: () => void,
): Promise<number> {
  return new Promise((resolve) => {
    if (process.platform === "win32") return; // It has no such signal.
    let isUnderWay = false;
    const upgrade = async (): Promise<void> => {
      if (isUnderWay) return;
      isUnderWay = true;
      try {
        const server = await serving;
        const { pid, moved, drained } = await server.handOver();
        handedOver();
        say(`Process ${process.pid} has handed over to ${pid}, with ${moved} connections`);
        await drained;
        process.off("SIGUSR2", upgrade);
        resolve(EXIT.done);
      } catch (error) {
        warn(`${explain(error).line}; process ${process.pid} goes on`);
      }
      isUnderWay = false;
    };
    process.on("SIGUSR2", upgrade);
    serving.catch(() => process.off("SIGUSR2", upgrade));
  });
}
