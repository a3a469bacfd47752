import type { DownloadServer } from "../../mod.ts";
import type { Admin } from "./admin.ts";
import { formatBytes } from "./format.ts";
import { EXIT, onInterrupt, say } from "./terminal.ts";

/** How long downloads may take to end. */
const DRAIN_MS = 30_000;
/** How often a line says what is left, if that has changed. */
const REPORT_MS = 1000;

/**
 * Serve until Ctrl-C, SIGTERM or a word to the admin, which lets what is being sent be finished; the
 * second signal ends it. Resolves to the exit code.
 */
export function untilInterrupted(server: DownloadServer, admin?: Admin): Promise<number> {
  return new Promise((resolve) => {
    let isEnding = false;
    const end = async (): Promise<void> => {
      if (isEnding) return;
      isEnding = true;
      admin?.drain();
      const endMs = performance.now() + DRAIN_MS;
      const [downloads] = whatIsLeft(server);
      say(`Ending after ${downloads}, within ${DRAIN_MS / 1000} s; once more to end now`);
      const reports = reportEach(server, endMs);
      await server.close({ timeoutMs: DRAIN_MS });
      clearInterval(reports);
      stop();
      resolve(EXIT.done);
    };
    const stop = onInterrupt(end, () => {
      say(`Ending now, with ${whatIsLeft(server).join(", ")} unsent`);
      server.abort();
    });
    void admin?.drainAsked.then(end);
  });
}

/** Say what is left, whenever that is something else. */
function reportEach(server: DownloadServer, endMs: number): ReturnType<typeof setInterval> {
  let last = "";
  return setInterval(() => {
    const left = whatIsLeft(server);
    if (left.join() === last) return;
    last = left.join();
    const seconds = Math.max(0, Math.round((endMs - performance.now()) / 1000));
    say(`${left[0]} left, ${left[1]}, ${seconds} s`);
  }, REPORT_MS);
}

/** How much is not done yet, as far as it is known; in other processes it is not. */
function whatIsLeft(server: DownloadServer): readonly [what: string, bytes: string] {
  const downloads = server.downloads();
  let bytes = 0;
  for (const { totalBytes, bytes: sent } of downloads) {
    bytes += Math.max(0, (totalBytes ?? 0) - sent);
  }
  const others = server.stats().generations - 1;
  const processes = others > 0 ? ` and ${count(others, "process", "processes")}` : "";
  return [count(downloads.length, "download", "downloads") + processes, formatBytes(bytes)];
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
