import { accountOf } from "./account.ts";
import { type PackedError, packError } from "../handoff/packed_error.ts";
import type { DeskOptions, Terms } from "./desk_words.ts";
import type { DownloadManagerOptions } from "./download_options.ts";
import type { DownloadRequest } from "./download_request.ts";
import type { Settings } from "./settings.ts";

/** Ask the functions of a front about a request; what one throws is sent in their place. */
export function termsOf(
  request: DownloadRequest,
  options: DownloadManagerOptions,
): Terms | PackedError {
  const { weightOf, maxClientBytesPerSecond = Infinity } = options;
  try {
    const { client, priority } = accountOf(request, options);
    return {
      client,
      priority,
      weight: weightOf === undefined ? 1 : weightOf(client),
      clientBytesPerSecond: typeof maxClientBytesPerSecond === "number"
        ? maxClientBytesPerSecond
        : maxClientBytesPerSecond(client),
    };
  } catch (error) {
    return packError(error);
  }
}

/** The options that a desk elsewhere is made with: those that are plain values. */
export function deskOptionsOf(
  options: DownloadManagerOptions,
  { maxActive, maxQueued, stallTimeoutMs, rateLimit }: Settings,
): DeskOptions {
  const { root, symlinks, dotfiles, directories, maxOpenFiles } = options;
  const { precompressed, cacheControl, disposition, maxDigestBytes, maxRanges } = options;
  return {
    root,
    symlinks,
    dotfiles,
    directories,
    maxOpenFiles,
    precompressed,
    cacheControl,
    disposition,
    maxDigestBytes,
    maxRanges,
    maxActive,
    maxQueued,
    stallTimeoutMs,
    maxBytesPerSecond: rateLimit.bytesPerSecond,
  };
}
