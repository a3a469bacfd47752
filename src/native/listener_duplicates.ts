import { provideListenerDescriptors } from "../adapters/shared/accept_gates.ts";
import { F_DUPFD_CLOEXEC } from "./layouts.ts";
import type { Libc } from "./libc.ts";

/** Let listeners of Bun be duplicated, which is how they stop without losing what waits there. */
export function provideListenerDuplicates(libc: Libc): void {
  provideListenerDescriptors({
    duplicate(handle) {
      const { fd = -1 } = handle as { readonly fd?: number };
      return libc.fcntl(fd, F_DUPFD_CLOEXEC, 0);
    },
    discard: (descriptor) => void libc.close(descriptor),
  });
}
