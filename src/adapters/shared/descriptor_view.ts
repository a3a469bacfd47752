import { readlinkSync } from "node:fs";
import type { FileFacts } from "../../transport/mod.ts";

/** How files are looked at, which differs between runtimes. */
export interface FilesOfRuntime {
  /** The facts of what a path leads to, or of a link; `undefined` or an error if there is nothing. */
  lookUp(path: string, followLinks: boolean): FileFacts | undefined;
  /** The facts of an open file; where the kernel may be asked, it shows the file at a path too. */
  look(descriptor: number, kernelPath: string | undefined): FileFacts;
  /** The first names in a folder. */
  list(path: string, maxNames: number): Promise<readonly string[]>;
  /** Whether the kernel may be asked about open files. It never asks the user for permission. */
  mayReadProc(): boolean;
}

/** What there is to know of a descriptor. */
export interface DescriptorView {
  /** The path at which the kernel shows what is open; `undefined` where it does not. */
  kernelPath(descriptor: number): string | undefined;
  /** The path by which the kernel knows it, without links. */
  realPath(descriptor: number): string | undefined;
  /** Its facts. */
  facts(descriptor: number): FileFacts;
}

/** The descriptors of a runtime. Whether the kernel may be asked is found out once. */
export function descriptorView(runtime: FilesOfRuntime): DescriptorView {
  let readable: boolean | undefined;
  const kernelPath = (descriptor: number): string | undefined => {
    const path = `/proc/self/fd/${descriptor}`;
    if (readable === undefined) {
      try {
        readable = runtime.mayReadProc() && readlinkSync(path) !== "";
      } catch {
        readable = false; // Not this system, or not with these permissions.
      }
    }
    return readable ? path : undefined;
  };
  return {
    kernelPath,
    realPath(descriptor) {
      const path = kernelPath(descriptor);
      return path === undefined ? undefined : readlinkSync(path);
    },
    facts: (descriptor) => runtime.look(descriptor, kernelPath(descriptor)),
  };
}
