import { RateLimit } from "../queue/mod.ts";
import type { DownloadShares } from "./download_options.ts";
import type { DownloadRequest } from "./download_request.ts";

/** Whose request it is, how urgent, and what it may be sent with. Throws what functions throw. */
export function accountOf(
  request: DownloadRequest,
  { clientOf, priorityOf }: Pick<DownloadShares, "clientOf" | "priorityOf">,
): { readonly client: string; readonly priority: number; readonly rateLimit?: RateLimit } {
  const priority = priorityOf === undefined ? 0 : priorityOf(request);
  const { client = clientOf?.(request) ?? request.remoteAddress.hostname } = request;
  const { maxBytesPerSecond } = request;
  if (maxBytesPerSecond === undefined) return { client, priority };
  return { client, priority, rateLimit: new RateLimit(maxBytesPerSecond) };
}
