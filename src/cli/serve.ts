import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  isJackfieldError,
  serveDownloads,
  systemTransport,
  type TlsListenOptions,
} from "../../mod.ts";
import { copyEngine, type DownloadEngine } from "../core.ts";
import { sendfileEngine } from "../native/mod.ts";
import { type Admin, readAdminPort, startAdmin } from "./admin.ts";
import { type Arguments, readArguments, readNumber, readText } from "./arguments.ts";
import { untilInterrupted } from "./drain.ts";
import { EXIT, explain, say, warn } from "./terminal.ts";
import { untilUpgraded } from "./upgrade.ts";
import { UsageError } from "./usage_error.ts";

/** What `jackfield serve --help` prints. */
export const SERVE_HELP = `Usage: jackfield serve [folder] [options]

Serves the files of a folder over HTTP/1.1. Without a folder: the sample folder
of a checkout, else the current folder.

Options:
  --hostname NAME   address or name to listen on      (default 127.0.0.1)
  --port N          port to listen on, 0 for any      (default 8080)
  --cert FILE       certificate chain in PEM: serve https, together with --key
  --key FILE        private key in PEM
  --engine NAME     how files are sent: copy (read and write), sendfile (the
                    kernel moves them; Deno with --allow-ffi, Bun; Linux), or
                    accept (sendfile, in a thread that accepts by itself)
                    (default sendfile where it can be)
  --upgradable      let SIGUSR2 hand over to a new process of the same command
                    line: no client notices (costs speed in Deno and Bun;
                    with TLS not in Deno)
  --generations N   processes that may serve: one that has no file descriptors
                    left starts the next (default 1: clients wait; not with TLS
                    or --admin-port; Deno with --allow-run and --allow-env)
  --list            show what a folder has where it has no index.html
  --admin-port N    show state, health and metrics on this port of 127.0.0.1, to
                    every user of this host; 0 for any port
  -h, --help        this text

Ctrl-C and SIGTERM finish the downloads, for 30 seconds at most, and end; a
second one ends at once.

Examples:
  jackfield serve
  jackfield serve ./public --port 3000
  jackfield serve /srv/files --hostname 0.0.0.0 --list
  jackfield serve --cert chain.pem --key key.pem --port 8443

Exit codes: 0 ended as asked, 1 failed (such as a port in use), 2 bad arguments.`;

/** Run `jackfield serve`; resolves to the exit code. */
export async function serve(words: readonly string[]): Promise<number> {
  const args = readArguments(words, {
    hostname: { type: "string" },
    port: { type: "string" },
    cert: { type: "string" },
    key: { type: "string" },
    engine: { type: "string" },
    upgradable: { type: "boolean" },
    generations: { type: "string" },
    list: { type: "boolean" },
    "admin-port": { type: "string" },
  }, 1);
  if (args.values.help) {
    say(SERVE_HELP);
    return EXIT.done;
  }
  const root = args.positionals[0] ?? defaultRoot();
  const tls = readTls(args);
  const adminPort = readAdminPort(args);
  const maxGenerations = readNumber(args, "generations", 1, 1, 64);
  if (adminPort !== undefined && maxGenerations > 1) {
    throw new UsageError("Option '--generations' cannot stand beside '--admin-port'");
  }
  const takesOver = systemTransport().host.predecessor !== undefined;
  const serving = serveDownloads({
    root,
    hostname: readText(args, "hostname"),
    port: readNumber(args, "port", 8080, 0, 65_535),
    tls,
    upgradable: args.values.upgradable === true,
    maxGenerations,
    directories: args.values.list ? "list" : "index",
    engine: readEngine(args, tls !== undefined),
    onError: (error) => {
      // Clients come and go as they like: that is no news.
      const hasLeft = isJackfieldError(error, "SOCKET_RESET") ||
        isJackfieldError(error, "SOCKET_CLOSED");
      if (!hasLeft) warn(explain(error).line);
    },
  });
  const shown = Promise.withResolvers<Admin | undefined>();
  // What it shows, the next process shows from now on.
  const upgraded = untilUpgraded(serving, () => void shown.promise.then((admin) => admin?.close()));
  const server = await serving;
  say(`Serving ${root}`);
  say(`     at ${server.url}`);
  say(`    try curl -O ${server.url}${existsSync(`${root}/numbers.txt`) ? "numbers.txt" : "FILE"}`);
  const { name, mode, reason } = server.stats().engine;
  const how = [name, mode, reason].filter((word) => word !== undefined);
  say(`   with engine ${how.join(", ")}`);
  const admin = await startAdmin(adminPort, server, takesOver);
  shown.resolve(admin);
  if (admin !== undefined) say(`  admin at ${admin.url}`);
  try {
    const closed = server.closed.then(() => EXIT.done);
    return await Promise.race([untilInterrupted(server, admin), upgraded, closed]);
  } finally {
    await admin?.close();
  }
}

const ENGINES: readonly string[] = ["copy", "sendfile", "accept"];
const ENGINES_IN_WORDS = "'copy', 'sendfile' or 'accept'";

/** The engine that is asked for, or else the fastest one that can be without asking anybody. */
function readEngine(args: Arguments, hasTls: boolean): DownloadEngine {
  const name = readText(args, "engine");
  if (name !== undefined && !ENGINES.includes(name)) {
    throw new UsageError(`Option '--engine' is '${name}', expected ${ENGINES_IN_WORDS}`);
  }
  if (name === "copy") return copyEngine();
  const engine = sendfileEngine(name === "accept" ? { mode: name } : {});
  // It was not in vain: with it, Deno can switch Nagle's algorithm off on the listener.
  if (hasTls) return { ...copyEngine(), reason: "with TLS only the runtime can write" };
  return engine;
}

/** The certificate and its key; both or none. */
function readTls(args: Arguments): TlsListenOptions | undefined {
  const [cert, key] = [readText(args, "cert"), readText(args, "key")];
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw new UsageError(`Option '--${given}' needs '--${missing}' beside it`);
  }
  return { cert: readPem("cert", cert), key: readPem("key", key) };
}

function readPem(flag: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`Option '--${flag}' is '${path}': ${(error as Error).message}`);
  }
  if (text.includes("-----BEGIN ")) return text;
  throw new UsageError(`Option '--${flag}' is '${path}', expected a file in PEM`);
}

/** The sample folder lies beside the sources; an installed package has none. */
function defaultRoot(): string {
  const sample = new URL("../../examples/files/", import.meta.url);
  if (sample.protocol !== "file:") return process.cwd();
  const path = fileURLToPath(sample);
  return existsSync(path) ? path : process.cwd();
}
