import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/**
 * Build a C program of this folder with the system's compiler; gives where it is.
 *
 * @throws {Error} When this is not Linux, or there is no compiler (`CC` may name one).
 */
export function buildCProgram(name: string): string {
  if (process.platform !== "linux") throw new Error("Cannot measure here: it takes Linux");
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
  const folder = join(tmpdir(), `jackfield-bench-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true });
  const program = join(folder, name);
  const compiler = process.env.CC ?? "cc";
  const { status, stderr, error } = spawnSync(
    compiler,
    ["-O2", "-Wall", "-Wextra", "-o", program, source],
    { encoding: "utf8", timeout: 60_000 },
  );
  if (error !== undefined) {
    throw new Error(`Cannot build ${name}.c: no C compiler "${compiler}" (${error.message})`);
  }
  if (status !== 0) throw new Error(`Cannot build ${name}.c:\n${stderr}`);
  return program;
}
