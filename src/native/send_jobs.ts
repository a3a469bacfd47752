import type { OwnerLink } from "../transport/mod.ts";
import { openLibc } from "./libc.ts";
import { PageCache } from "./page_cache.ts";
import { COLD, type JobResult, JobTaker } from "./send_ring.ts";

/** What the thread is sent first. */
export type SendOrder = Int32Array<SharedArrayBuffer>;

/** Send pieces of files for who has started this thread, until he says to end. */
export function sendForParent(parent: OwnerLink, ended: () => void): void {
  const libc = openLibc();
  parent.receive({
    message(words) {
      const cache = new PageCache(libc);
      const offset = new Uint8Array(8);
      const view = new DataView(offset.buffer);
      const result: JobResult = { sent: 0, errno: 0 };
      parent.post("ready");
      new JobTaker(words as SendOrder).run((job) => {
        result.sent = 0;
        result.errno = COLD;
        if (!cache.isWarm(undefined, job.from, job.offset, job.length)) return result;
        view.setUint32(0, job.offset % 2 ** 32, true);
        view.setUint32(4, Math.floor(job.offset / 2 ** 32), true);
        const count = libc.sendfile(job.to, job.from, offset, job.length);
        result.sent = Math.max(0, count);
        result.errno = count < 0 ? libc.errno() : 0;
        return result;
      });
      ended();
    },
  });
}
