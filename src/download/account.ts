import type { DownloadShares } from "./download_options.ts";
import type { DownloadRequest } from "./download_request.ts";

/** Whose request it is, and how urgent. Throws what the application's functions throw. */
export function accountOf(
  request: DownloadRequest,
  { clientOf, priorityOf }: Pick<DownloadShares, "clientOf" | "priorityOf">,
): { readonly client: string; readonly priority: number } {
  const priority = priorityOf === undefined ? 0 : priorityOf(request);
  const client = clientOf === undefined ? request.remoteAddress.hostname : clientOf(request);
  return { client, priority };
}
