import { JackfieldError } from "../transport/mod.ts";
import { packError } from "../handoff/packed_error.ts";
import type { DeskWord } from "./desk_words.ts";
import type { DownloadHooks } from "./download_options.ts";
import type { RemoteDownload } from "./remote_download.ts";
import type { RemoteLine } from "./remote_line.ts";

/** Ask a hook on behalf of a desk, and tell it what the hook says. */
export async function answerHook(
  line: RemoteLine,
  word: DeskWord & { readonly kind: "ask" },
  download: RemoteDownload | undefined,
  hooks: DownloadHooks,
): Promise<void> {
  const { call } = word;
  try {
    if (download === undefined) {
      const message = "Cannot ask hook: the download is over";
      throw new JackfieldError("DOWNLOAD_CLOSED", message, { operation: "ask" });
    }
    const { request } = download;
    const value = word.hook === "headers"
      ? [...await hooks.headers!(word.file, request)]
      : await hooks[word.hook]!(request);
    line.say({ kind: "answer", call, value });
  } catch (error) {
    // Also of what the hook has said and cannot be sent.
    line.say({ kind: "answer", call, error: packError(error) });
  }
}
