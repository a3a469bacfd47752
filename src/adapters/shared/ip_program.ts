// ip(8) of Linux: changes, and questions that are answered in JSON. Measured: 2.6 ms for one call in
// each of the runtimes, 30 to 50 ms for one call with 1,000 changes; a child that stays is no faster.
import process from "node:process";
import { osCodeOf, unsupported } from "../../transport/mod.ts";
import { needRun, runProgram } from "./run_program.ts";
import { Together } from "./together.ts";

/** What ip(8) says when it refuses, with the code that the kernel gave. */
export class IpRefused extends Error {
  /** The system's code, if it can be told from the words. */
  readonly osCode: string | undefined;

  /** With the first line of its complaint. */
  constructor(line: string, options?: ErrorOptions) {
    super(line, options);
    this.osCode = WORDS.find(([pattern]) => pattern.test(line))?.[1] ?? osCodeOf(options?.cause);
  }
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/Operation not permitted/i, "EPERM"],
  [/Permission denied/i, "EACCES"],
  [/already assigned|File exists/i, "EEXIST"],
  [/Cannot find device|does not exist|No such device/i, "ENODEV"],
  [/Address not found|Cannot assign requested address/i, "EADDRNOTAVAIL"],
  [/Network is unreachable/i, "ENETUNREACH"],
  [/No route to host/i, "EHOSTUNREACH"],
  [/Invalid argument/i, "EINVAL"],
];

const changes = new Together<string, void>(async (lines) => {
  const input = lines.map((line) => `${line}\n`).join("");
  const { code, stderr } = await runIp(["-force", "-batch", "-"], input);
  return readComplaints(lines.length, code, stderr);
}, 256); // Not more, so that the first ones need not wait for all.

const questions = new Together<string, readonly unknown[]>(async (lines) => {
  const answers = new Map<string, readonly unknown[] | Error>();
  for (const line of new Set(lines)) {
    answers.set(line, await answer(line.split(" ")).catch((error) => error));
  }
  return lines.map((line) => answers.get(line)!);
}, 256);

/**
 * Change something; no word holds a space.
 *
 * @throws {IpRefused} When ip(8) refuses, or cannot be started.
 */
export function changeByIp(...words: readonly string[]): Promise<void> {
  return changes.ask(words.join(" "));
}

/**
 * Ask something that is answered in JSON; the answer is about now or later.
 *
 * @throws {IpRefused} When ip(8) refuses, or cannot be started.
 */
export async function askIp<Answer>(...words: readonly string[]): Promise<readonly Answer[]> {
  return await questions.ask(words.join(" ")) as readonly Answer[];
}

/**
 * Throw where there is no ip(8), or where the runtime does not permit to start it.
 *
 * @throws {JackfieldError} `UNSUPPORTED` or `PERMISSION_DENIED`.
 */
export function needIp(operation: string, words: string): void {
  if (process.platform !== "linux") {
    throw unsupported(`interfaces.${operation}`, "it needs ip(8) of Linux");
  }
  needRun("ip", operation, words);
}

/** How each change of a batch went; ip(8) counts lines from 1. */
function readComplaints(count: number, code: number, stderr: string): (void | IpRefused)[] {
  const failures = new Map<number, string>();
  let complaint = "";
  for (const line of stderr.split("\n")) {
    const number = /^Command failed -:(\d+)$/.exec(line)?.[1];
    if (number === undefined) complaint ||= line;
    else {
      failures.set(Number(number), complaint);
      complaint = "";
    }
  }
  // Words that it cannot read end it at once: nobody knows how far it came.
  const ended = code !== 0 && complaint !== "" ? complaint : undefined;
  return Array.from({ length: count }, (_, index) => {
    const why = failures.get(index + 1) ?? ended;
    return why === undefined ? undefined : new IpRefused(why);
  });
}

async function answer(words: readonly string[]): Promise<readonly unknown[]> {
  const { code, stdout, stderr } = await runIp(["-json", ...words]);
  if (code !== 0) throw new IpRefused(stderr.split("\n", 1)[0] || `ip ended with ${code}`);
  return stdout.trim() === "" ? [] : JSON.parse(stdout);
}

async function runIp(args: readonly string[], input?: string): ReturnType<typeof runProgram> {
  try {
    return await runProgram("ip", args, input);
  } catch (cause) {
    const missing = osCodeOf(cause) === "ENOENT";
    const why = missing ? "this host has no ip(8)" : `ip: ${(cause as Error).message}`;
    throw new IpRefused(why, { cause });
  }
}
