import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import type { FileFacts, OpenFolder } from "../../transport/mod.ts";
import type { DescriptorView, FilesOfRuntime } from "./descriptor_view.ts";
import { named } from "./file_errors.ts";

/**
 * Open a folder; throws the runtime's own error. Where the kernel shows at a path what is open, names
 * are looked up there, and no swap of names can lead elsewhere. In other places the path must do.
 */
export function openSystemFolder(
  path: string,
  view: DescriptorView,
  runtime: FilesOfRuntime,
  lookUp: (path: string, followLinks: boolean) => FileFacts | undefined,
): OpenFolder {
  let descriptor: number | undefined;
  let base: string | undefined;
  if (constants.O_DIRECTORY !== undefined) {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK);
    base = view.kernelPath(descriptor);
  }
  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  if (base === undefined) close();
  return {
    realPath: () =>
      named(
        "resolve",
        path,
        () => descriptor === undefined ? undefined : view.realPath(descriptor),
      ),
    list: (maxNames) => named("list", path, () => runtime.list(base ?? path, maxNames)),
    lookUp: (name, { followLinks = true } = {}) =>
      named("look at", join(path, name), () => lookUp(join(base ?? path, name), followLinks)),
    close: () => named("close", path, close),
  };
}
