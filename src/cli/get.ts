import { AddressTable, hostAddresses, parallelGet, type PoolCandidate } from "../../mod.ts";
import { strategyByName } from "../core.ts";
import { readArguments, readNumber, readSize, readText } from "./arguments.ts";
import { formatBytes, progressLine } from "./format.ts";
import { EXIT, onInterrupt, ProgressDisplay, say, warn } from "./terminal.ts";
import { UsageError } from "./usage_error.ts";

/** What `jackfield get --help` prints. */
export const GET_HELP = `Usage: jackfield get <url> -o FILE [options]

Fetches a file over several connections at once and prints its SHA-256. The
file takes its name only when it is complete.

Options:
  -o, --output FILE   where to write
  --sockets N         connections, 1 to 64                      (default 4)
  --unit SIZE         size of a data unit: 64K, 4M, 1G
                      (default: a share for each connection, 64K to 4M)
  --addresses LIST    local addresses to connect from, by comma
  --strategy NAME     which connection takes the next unit:
                      round-robin, random, least-busy or power-of-two-choices
                      (default round-robin)
  -h, --help          this text

Examples:
  jackfield get http://127.0.0.1:8080/numbers.txt -o numbers.txt
  jackfield get http://127.0.0.1:8080/big.bin -o big.bin --sockets 8 \\
    --addresses 127.0.0.2,127.0.0.3

Exit codes: 0 done, 1 failed (the message says why), 2 bad arguments,
130 interrupted.`;

/** Run `jackfield get`; resolves to the exit code. */
export async function get(words: readonly string[]): Promise<number> {
  const args = readArguments(words, {
    output: { type: "string", short: "o" },
    sockets: { type: "string" },
    unit: { type: "string" },
    addresses: { type: "string" },
    strategy: { type: "string" },
  }, 1);
  if (args.values.help) {
    say(GET_HELP);
    return EXIT.done;
  }
  const [url] = args.positionals;
  const to = readText(args, "output");
  if (url === undefined) throw new UsageError("The URL is missing");
  if (to === undefined) throw new UsageError("Option '-o FILE' is missing");
  const list = readText(args, "addresses");
  const strategy = readText(args, "strategy") ?? "round-robin";
  const sockets = readNumber(args, "sockets", 4, 1, 64);
  const unitBytes = readSize(args, "unit", undefined);

  const stop = new AbortController();
  let interrupted = false;
  const unwatch = onInterrupt(() => {
    interrupted = true;
    stop.abort(new Error("Interrupted"));
  }, () => {});
  const display = new ProgressDisplay();
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    const result = await parallelGet(url, {
      to,
      sockets,
      unitBytes,
      signal: stop.signal,
      strategy: strategyByName<PoolCandidate>(strategy),
      ...(list === undefined
        ? {}
        : { addresses: new AddressTable({ source: hostAddresses(list.split(",")) }) }),
      onProgress: ({ bytes, totalBytes }) => {
        const share = totalBytes ? bytes / totalBytes : 0;
        display.show(share, (columns) => progressLine(bytes, totalBytes, seconds(), columns));
      },
    });
    display.end();
    const took = seconds();
    say(`${formatBytes(result.bytes)} in ${took.toFixed(2)} s`);
    for (const { localAddress, bytes, units } of result.sockets) {
      say(
        `  from ${localAddress}  ${formatBytes(bytes)} in ${units} ${
          units === 1 ? "unit" : "units"
        }`,
      );
    }
    say(`SHA-256 ${result.digest}`);
    say(`saved ${to}`);
    return EXIT.done;
  } catch (error) {
    display.end();
    if (!interrupted) throw error;
    warn("Interrupted: nothing was saved");
    return EXIT.interrupted;
  } finally {
    unwatch();
  }
}
