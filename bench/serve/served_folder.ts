import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What is asked for. */
export const BIG_PATH = "/big.bin";
/** So long that no slow client comes to its end. */
export const BIG_BYTES: number = 64 * 2 ** 20;

/** A new folder with the big file in it; `remove` takes it away. */
export function makeServedFolder(): { root: string; bigFile: string; remove(): void } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "jackfield-serve-")));
  const bigFile = join(root, BIG_PATH);
  writeFileSync(bigFile, new Uint8Array(BIG_BYTES).map((_, at) => at * 31 + (at >> 8)));
  return { root, bigFile, remove: () => rmSync(root, { recursive: true, force: true }) };
}
