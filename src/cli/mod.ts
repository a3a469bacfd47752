#!/usr/bin/env node
/**
 * The command line: `jackfield serve`, `jackfield get` and `jackfield addresses`.
 *
 * @example
 * ```ts
 * import { main } from "@jackfield/jackfield/cli";
 *
 * const code = await main(["--version"]);
 * if (code !== 0) throw new Error("unexpected");
 * ```
 *
 * @module
 */
import { realpathSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { addresses } from "./addresses.ts";
import { get } from "./get.ts";
import { serve } from "./serve.ts";
import { EXIT, explain, say, warn } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";
import { VERSION } from "./version.ts";

const HELP = `Usage: jackfield <command> [options]

Commands:
  serve [folder]        serve the files of a folder over HTTP/1.1
  get <url> -o FILE     fetch a file over several connections at once
  addresses             what sockets can be given, and what is taken

Options:
  -h, --help            this text; jackfield <command> --help for a command
  --version             the version

Examples:
  jackfield serve ./public --port 3000
  jackfield get http://127.0.0.1:3000/big.bin -o big.bin --sockets 8
  jackfield addresses --check example.org:443

Exit codes: 0 done, 1 failed, 2 bad arguments, 130 interrupted; get has more.`;

const COMMANDS: Readonly<Record<string, (words: readonly string[]) => Promise<number>>> = {
  serve,
  get,
  addresses,
};

/** Run the program with these words; resolves to its exit code and never rejects. */
export async function main(words: readonly string[]): Promise<number> {
  // npm installs us into an older Node with no more than a warning, where sockets then fail oddly.
  if (!("withResolvers" in Promise)) {
    warn(`Cannot run in Node ${process.versions.node}: 22.18 is the first that can`);
    return EXIT.failed;
  }
  const [command = "--help", ...rest] = words[0] === "--" ? words.slice(1) : words;
  try {
    if (command === "--help" || command === "-h" || command === "help") {
      say(HELP);
      return EXIT.done;
    }
    if (command === "--version") {
      say(`jackfield ${VERSION}`);
      return EXIT.done;
    }
    const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
    if (run === undefined) throw new UsageError(`Unknown command '${command}'`);
    return await run(rest);
  } catch (error) {
    const { line, code } = explain(error);
    const known = Object.hasOwn(COMMANDS, command) ? `${command} ` : "";
    warn(error instanceof UsageError ? `${line}; try: jackfield ${known}--help` : line);
    return code;
  }
}

/** Whether this file is the program that was started, and not a module of another one. */
function isMain(): boolean {
  const { main } = import.meta as { readonly main?: boolean };
  if (main !== undefined) return main;
  const started = process.argv[1]; // Node 22 does not say.
  return started !== undefined && pathToFileURL(realpathSync(started)).href === import.meta.url;
}

// No top-level await: it would keep `require` from loading this file.
if (isMain()) void main(process.argv.slice(2)).then((code) => process.exitCode = code);
