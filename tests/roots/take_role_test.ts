// Programs whose threads and processes run the whole program again.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";
import { takeRole } from "../../mod.ts";
import { Folder } from "../download/tools.ts";
import { runtime, test } from "../harness.ts";

const PROGRAM = fileURLToPath(new URL("../fixtures/whole_program.ts", import.meta.url));

function run(command: string, args: readonly string[]): string {
  const options = { encoding: "utf8", timeout: 50_000, killSignal: "SIGKILL" } as const;
  const { status, stdout, stderr } = spawnSync(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: status ${status}\n${stderr}`);
  return stdout;
}

test("takeRole() has none for a program that somebody else has started", () => {
  assertEquals(takeRole(), false);
});

test("takeRole() makes a manager's thread of a program that was started as one", {
  skip: runtime === "node" ? "no live socket moves to a thread in Node" : false,
}, () => {
  const folder = new Folder();
  try {
    folder.write("file.txt", "once more");
    const flags = runtime === "deno" ? ["run", "-A", "--no-check"] : [];
    const output = run(process.execPath, [...flags, PROGRAM, "thread", folder.path]);
    assertEquals(output, "thread 200 once more\n");
  } finally {
    folder.remove();
  }
});

/** Deno puts a program into a second binary, `denort`, which it downloads unless it is told of one. */
const canCompile = runtime === "bun" || (runtime === "deno" && process.env.DENORT_BIN);

test("takeRole() makes manager's threads and processes of a compiled program", {
  skip: canCompile ? false : "needs Bun, or Deno with DENORT_BIN",
}, () => {
  const folder = new Folder();
  try {
    folder.write("file.txt", "compiled");
    const binary = folder.at("program");
    const compile = runtime === "bun"
      ? ["build", "--compile", "--outfile", binary]
      : ["compile", "-A", "--no-check", "--output", binary];
    run(process.execPath, [...compile, PROGRAM]);
    for (const placement of ["thread", "process"]) {
      assertEquals(run(binary, [placement, folder.path]), `${placement} 200 compiled\n`);
    }
    run(process.execPath, [...compile, PROGRAM.replace("whole_program", "whole_program_native")]);
    for (const mode of process.platform === "linux" ? ["hybrid", "accept"] : []) {
      assertEquals(run(binary, [mode, folder.path]), `${mode} 200 compiled\n`);
    }
  } finally {
    folder.remove();
  }
});
