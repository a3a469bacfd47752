import { type StartedOwner, unsupported } from "../transport/mod.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import type { LineSource, OpenLink } from "./remote_line.ts";

/** The script in `src/roots/` that is started. */
export const SCRIPT = "download_desk";

/** Starts a thread or a process for a desk; it has been checked that there can be one. */
export function ownerSource(
  kind: "thread" | "process",
  { transport: { host }, workerUrl, processUrl }: DownloadManagerOptions,
): LineSource {
  return {
    kind,
    endsWhenIdle: kind === "thread", // A thread in Deno keeps the program running.
    isOwner: true,
    async open(): Promise<OpenLink> {
      if (kind === "process") return started(host.processes!.start(SCRIPT, { url: processUrl }));
      if (host.descriptors === undefined) throw unsupported("threads", "nothing can travel there");
      const descriptors = await host.descriptors();
      return { ...started(host.workers!.start(SCRIPT, { url: workerUrl })), descriptors };
    },
  };
}

function started(owner: StartedOwner): OpenLink {
  return {
    link: owner,
    end: () => owner.terminate(),
    ref: (isNeeded) => isNeeded ? owner.ref() : owner.unref(),
  };
}
