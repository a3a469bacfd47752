import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import {
  AddressTable,
  hostAddresses,
  parallelGet,
  type ParallelGetResult,
  type PoolCandidate,
} from "../../mod.ts";
import { isJackfieldError, strategyByName } from "../core.ts";
import { type Arguments, readArguments, readNumber, readSize, readText } from "./arguments.ts";
import { formatBytes } from "./format.ts";
import { getDisplay, sayJson } from "./get_display.ts";
import { explainGet, GET_EXIT } from "./get_failure.ts";
import { standardOutput } from "./get_output.ts";
import { onInterrupt, say, warn } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** What `jackfield get --help` prints. */
export const GET_HELP = `Usage: jackfield get <url> -o FILE [options]

Fetches a file over several connections at once and prints its SHA-256. The
file takes its name only when it is complete. Until then it is FILE.part, and
the same command goes on with it after an interruption or a failure.

Options:
  -o, --output FILE   where to write; - for standard output
  --sockets N         connections, 1 to 64                      (default 4)
  --unit SIZE         size of a data unit: 64K, 4M, 1G
                      (default: a share for each connection, 64K to 4M)
  --addresses LIST    local addresses to connect from, by comma
  --strategy NAME     which connection takes the next unit:
                      round-robin, random, least-busy or power-of-two-choices
                      (default round-robin)
  --digest HEX        the SHA-256 that the file must have
  --no-digest         compute no digest
  --limit SIZE        bytes per second at most: 500K, 2M
  --retries N         tries after a failure, 0 to 100           (default 3)
  --ca FILE           certificates that sign the server's, in PEM
  --no-resume         begin anew, and leave nothing after a failure
  --json              lines of JSON on standard output
  -h, --help          this text

Ctrl-C keeps what has come, and ends; a second one ends at once.

Examples:
  jackfield get http://127.0.0.1:8080/numbers.txt -o numbers.txt
  jackfield get http://127.0.0.1:8080/big.bin -o big.bin --sockets 8 \\
    --addresses 127.0.0.2,127.0.0.3

Exit codes: 0 done, 1 failed, 2 bad arguments, 3 no connection (name, refused,
TLS, or it broke too often), 4 the server's answer is not the file, 5 the file
changed, 6 it cannot be written, 7 its digest is wrong, 130 interrupted.`;

/** Run `jackfield get`; resolves to the exit code. */
export async function get(words: readonly string[]): Promise<number> {
  const args = readArguments(words, {
    output: { type: "string", short: "o" },
    sockets: { type: "string" },
    unit: { type: "string" },
    addresses: { type: "string" },
    strategy: { type: "string" },
    digest: { type: "string" },
    "no-digest": { type: "boolean" },
    limit: { type: "string" },
    retries: { type: "string" },
    ca: { type: "string" },
    "no-resume": { type: "boolean" },
    json: { type: "boolean" },
  }, 1);
  if (args.values.help) {
    say(GET_HELP);
    return GET_EXIT.done;
  }
  const { url, to, options } = readOptions(args);
  const isJson = args.values.json === true;
  if (isJson && to === "-") throw new UsageError("Options '--json' and '-o -' exclude each other");

  const stop = new AbortController();
  let interrupted = false;
  const unwatch = onInterrupt(() => {
    interrupted = true;
    stop.abort(new Error("Interrupted"));
  }, () => process.exit(GET_EXIT.interrupted));
  const display = getDisplay(isJson);
  const startMs = performance.now();
  try {
    const result = await parallelGet(url, {
      ...options,
      to: to === "-" ? standardOutput() : to,
      signal: stop.signal,
      onProgress: (progress) => display.show(progress),
    });
    display.end();
    const seconds = (performance.now() - startMs) / 1000;
    if (isJson) sayJson("done", { seconds, ...result });
    else if (to === "-") tellReason(result);
    else summarize(result, seconds);
    return GET_EXIT.done;
  } catch (error) {
    display.end();
    return failed(error, { to, isJson, interrupted });
  } finally {
    unwatch();
  }
}

function readOptions(args: Arguments): {
  url: string;
  to: string;
  options: Parameters<typeof parallelGet>[1];
} {
  const [url] = args.positionals;
  const to = readText(args, "output");
  if (url === undefined) throw new UsageError("The URL is missing");
  if (to === undefined) throw new UsageError("Option '-o FILE' is missing");
  const list = readText(args, "addresses");
  const ca = readText(args, "ca");
  const resume = args.values["no-resume"] !== true;
  const digest = readText(args, "digest");
  if (digest !== undefined && args.values["no-digest"] === true) {
    throw new UsageError("Options '--digest' and '--no-digest' exclude each other");
  }
  const strategy = readText(args, "strategy") ?? "round-robin";
  const options = {
    sockets: readNumber(args, "sockets", 4, 1, 64),
    unitBytes: readSize(args, "unit", undefined),
    bytesPerSecond: readSize(args, "limit", undefined),
    retries: readNumber(args, "retries", 3, 0, 100),
    strategy: strategyByName<PoolCandidate>(strategy),
    digest: digest ?? args.values["no-digest"] !== true,
    resume,
    keepUnfinished: resume,
    tls: ca === undefined ? undefined : { caCerts: [readCertificates(ca)] },
    addresses: list === undefined
      ? undefined
      : new AddressTable({ source: hostAddresses(list.split(",")) }),
  };
  return { url, to, options };
}

function readCertificates(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`Option '--ca': ${(error as Error).message.split("\n", 1)[0]}`);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new UsageError(`Option '--ca' is '${path}', which holds no certificate in PEM`);
}

function summarize(result: ParallelGetResult, seconds: number): void {
  const { bytes, totalBytes, sockets, digest, isVerified, path } = result;
  tellReason(result);
  const resumed = bytes < totalBytes ? ` (${formatBytes(totalBytes - bytes)} were there)` : "";
  say(`${formatBytes(bytes)} in ${seconds.toFixed(2)} s${resumed}`);
  for (const { localAddress, bytes, units } of sockets) {
    const count = `${units} ${units === 1 ? "unit" : "units"}`;
    say(`  from ${localAddress}  ${formatBytes(bytes)} in ${count}`);
  }
  if (digest !== "") say(`SHA-256 ${digest}`);
  if (isVerified) say("verified");
  say(`saved ${path}`);
}

const REASONS = {
  "no-ranges": "the server sends no parts of files",
  "no-validator": "the server says nothing by which parts of one file could be told from another's",
  "no-length": "the server does not know the file's length",
} as const;

/** It is no failure, but it may not be what was hoped for. */
function tellReason({ oneSocketReason }: ParallelGetResult): void {
  if (oneSocketReason !== undefined) warn(`One connection: ${REASONS[oneSocketReason]}`);
}

function failed(
  error: unknown,
  { to, isJson, interrupted }: { to: string; isJson: boolean; interrupted: boolean },
): number {
  const isKept = to !== "-" && existsSync(`${to}.part.state`);
  const kept = isKept ? `; the same command goes on with ${to}.part` : "";
  const known = interrupted
    ? {
      line: isKept ? "Interrupted" : "Interrupted: nothing was saved",
      code: GET_EXIT.interrupted,
    }
    : explainGet(error);
  if (known === undefined) throw error;
  if (isJson) {
    const code = isJackfieldError(error) ? error.code : "INTERRUPTED";
    const { status = null, osCode = null, reason = null } = isJackfieldError(error)
      ? error
      : {} as Partial<Record<"status" | "osCode" | "reason", undefined>>;
    const facts = { code, message: known.line, exitCode: known.code, status, osCode, reason };
    sayJson("failed", { ...facts, isKept });
  }
  warn(`${known.line}${kept}`);
  return known.code;
}
