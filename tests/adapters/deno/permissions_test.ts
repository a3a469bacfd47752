import { assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime, test } from "../../harness.ts";
import { textOf } from "../../transport/tools.ts";

const CHILD = fileURLToPath(new URL("../../fixtures/permissions_child.ts", import.meta.url));
const skip = runtime !== "deno" && "needs Deno";

interface Answer {
  value?: unknown;
  code?: string;
  message?: string;
  permission?: string;
}

interface Output {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

/** The part of Deno that starts the child: `node:child_process` gives a Deno all permissions. */
interface DenoWithCommand {
  readonly Command: new (
    command: string,
    options: { args: readonly string[]; stdin: "null"; signal: AbortSignal },
  ) => { output(): Promise<Output> };
}

/** Start a program that nobody answers, and give what it printed. */
async function run(command: string, args: readonly string[]): Promise<string> {
  const { Command } = (globalThis as unknown as { Deno: DenoWithCommand }).Deno;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), 20_000);
  const child = new Command(command, { args, stdin: "null", signal: limit.signal });
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  if (code !== 0) throw new Error(`ended with ${code}: ${textOf(stdout)}${textOf(stderr)}`);
  return textOf(stdout);
}

/** The words that start the child with these permissions. */
function childCommand(flags: readonly string[], act: string): string[] {
  return [process.execPath, "run", "--quiet", "--no-config", ...flags, CHILD, act];
}

/** Have the child do something with these permissions. */
async function ask(flags: readonly string[], act: string): Promise<Answer> {
  const [command, ...args] = childCommand(flags, act);
  return JSON.parse(await run(command!, args));
}

/** What the child is not permitted to do, and the flag that would permit it. */
const DENIED: readonly [act: string, permission: string][] = [
  ["connect", "--allow-net=127.0.0.1:9"],
  ["connect6", "--allow-net=[::1]:9"],
  ["connect by name", "--allow-net=localhost:9"],
  ["connect from", "--allow-net=127.0.0.1:9"],
  ["connect transferable", "--allow-net=127.0.0.1:9"],
  ["connect unix", "--allow-read=/nowhere"],
  ["listen", "--allow-net=127.0.0.1"],
  ["listen on a port", "--allow-net=127.0.0.1:9"],
  ["listen by name", "--allow-net=localhost"],
  ["listen reusePort", "--allow-net=127.0.0.1"],
  ["listen unix", "--allow-read=/nowhere"],
  ["listen abstract", "--allow-net"],
];

test(
  "Deno transport: says which permission is missing, and with which flag to run",
  { skip },
  async () => {
    const answers = await Promise.all(DENIED.map(([act]) => ask([], act)));
    for (const [at, answer] of answers.entries()) {
      const [act, permission] = DENIED[at]!;
      assertEquals([answer.code, answer.permission], ["PERMISSION_DENIED", permission], act);
      assertStringIncludes(answer.message!, `run with ${permission}`);
    }
  },
);

const noTerminal = spawnSync("script", ["--version"]).status !== 0 && "needs script(1)";

test("Deno transport: never asks at a terminal", { skip: skip || noTerminal }, async () => {
  const printed = await Promise.all(DENIED.map(([act]) => {
    const words = childCommand([], act).map((word) => `'${word}'`).join(" ");
    return run("script", ["--quiet", "--return", "--command", words, "/dev/null"]);
  }));
  for (const [at, text] of printed.entries()) {
    const [act, permission] = DENIED[at]!;
    assertEquals(JSON.parse(text).permission, permission, `${act}: ${text}`);
  }
});

test("Deno transport: needs --allow-net only to talk over TCP", { skip }, async () => {
  assertEquals(await ask(["--allow-net"], "talk"), { value: "hello" });
  assertEquals(await ask(["--allow-net=localhost,127.0.0.1,[::1]"], "talk"), { value: "hello" });
});

test("Deno transport: names every flag that is needed, one after the other", { skip }, async () => {
  const acts = DENIED.map(([act]) => act).filter((act) => /^connect(6| |$)(?!unix)/.test(act));
  await Promise.all(acts.map(async (act) => {
    const flags: string[] = [];
    for (;;) {
      const { code, message, permission } = await ask(flags, act);
      // With all flags the connect itself fails, for nobody listens on the port.
      if (code === "CONNECT_FAILED") break;
      assertEquals(code, "PERMISSION_DENIED", `${act}: ${message}`);
      assertEquals(flags.includes(permission!), false, `${act} asks for ${permission} again`);
      flags.push(permission!);
    }
  }));
});
