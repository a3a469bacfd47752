import { type Load, TASKS } from "./cells.ts";
import type { PoolSide } from "./side.ts";

/** Do so many operations of a kind. */
export async function runLoad(side: PoolSide, load: Load, count: number): Promise<void> {
  if (load === "awaited") await side.awaited(count);
  else if (load === "synchronous") side.synchronous!(count);
  else if (load === "use") await side.use!(count);
  else await side.contended(TASKS, count);
}
