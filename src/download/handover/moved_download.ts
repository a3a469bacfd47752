import type { ServedFile } from "../../files/mod.ts";
import { versionOf } from "../../files/file_version.ts";
import type { ManagedDownload } from "../download.ts";
import type { DownloadRequest } from "../download_request.ts";
import type { OutputRest } from "../output.ts";

/** A file, by its name within the root and what tells its content from every other. */
export interface MovedFile {
  /** See `ServedFile`. */
  readonly path: string;
  /** See `versionOf`. */
  readonly version: string;
}

/** An answer of which a part may have been sent. */
export interface MovedAnswer {
  /** Its status. */
  readonly status: number;
  /** What has not been sent. */
  readonly output: OutputRest;
  /** Where it goes on. */
  readonly position: number;
  /** What turns have still to pay for. */
  readonly aheadBytes: number;
  /** What parts of it are read from. */
  readonly file: MovedFile | undefined;
}

/** A download as plain data, so that another process can go on with it. */
export interface MovedDownload {
  /** What was asked for. */
  readonly request: DownloadRequest;
  /** On whose account. */
  readonly client: string;
  /** From -8 to 8. */
  readonly priority: number;
  /** Whether it was paused. */
  readonly paused: boolean;
  /** Whether its answer says that the connection goes on. */
  readonly keepAlive: boolean;
  /** `undefined` as long as nobody has looked for its file. */
  readonly answer: MovedAnswer | undefined;
}

/** What another process needs to know of a download that stands still. */
export function describeDownload(download: ManagedDownload): MovedDownload {
  const { request, client, priority, paused, keepAlive, output } = download;
  const { status = 0, position, aheadBytes, held } = download;
  const answer = output === undefined ? undefined : {
    status,
    output: output.rest(position),
    position,
    aheadBytes,
    file: held === undefined ? undefined : describeFile(held),
  };
  return { request, client, priority, paused, keepAlive, answer };
}

function describeFile({ path, facts }: ServedFile): MovedFile {
  return { path, version: versionOf(facts) };
}
