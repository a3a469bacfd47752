// A host name with two addresses, of which one may not answer (RFC 8305). Each runtime's own connect
// is trusted with it; these tests show that it may be. They give the name a meaning of their own in
// a private mount namespace, which needs root or user namespaces (unshare(1)).
import { assert, assertEquals } from "@std/assert";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime, test } from "../harness.ts";

const CHILD = fileURLToPath(new URL("../fixtures/happy_eyeballs_child.ts", import.meta.url));
const HOSTS = "127.0.0.1 localhost two.test\n::1 localhost two.test\n";
const MOUNT = 'mount --bind "$0" /etc/hosts && exec "$@"';

/** The words that start a program in a private mount namespace with other hosts; none if it cannot be. */
function namespaceWith(hosts: string): string[] | undefined {
  return [["unshare", "-m"], ["unshare", "-r", "-m"]]
    .map((words) => [...words, "sh", "-c", MOUNT, hosts])
    .find(([command, ...args]) => {
      return spawnSync(command!, [...args, "true"], { stdio: "ignore" }).status === 0;
    });
}

/** The words that start a script in this runtime. */
const started = runtime === "deno"
  ? [process.execPath, "run", "--allow-all", "--quiet", "--no-config", CHILD]
  : [process.execPath, CHILD];

/** What the child prints. */
interface Report {
  found: string[];
  reached: { v4: string; v6: string };
  besideSilence: string;
  addresses: { hostname: string; port: number }[];
}

function run(command: string[]): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 30_000,
    });
    let printed = "";
    let failure = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => printed += text);
    child.stderr.setEncoding("utf8").on("data", (text: string) => failure += text);
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(printed));
      else reject(new Error(`ended with ${code}: ${printed}${failure}`));
    });
  });
}

const folder = mkdtempSync(join(tmpdir(), "jackfield-hosts-"));
const hosts = join(folder, "hosts");
writeFileSync(hosts, HOSTS);
const namespace = namespaceWith(hosts);
const skip = namespace === undefined && "needs unshare(1), and root or user namespaces";
if (namespace === undefined) rmSync(folder, { recursive: true });

test(
  "systemTransport() reaches a name of two addresses at whichever answers",
  { skip },
  async () => {
    try {
      const { found, reached, besideSilence, addresses } = await run([...namespace!, ...started]);
      assertEquals(found.toSorted(), ["127.0.0.1", "::1"]);
      assertEquals(reached, { v4: "127.0.0.1", v6: "::1" });
      // The better address gives no answer at all: nobody waits for it until the time is over.
      assertEquals(besideSilence, found[1]);
      assertEquals(addresses.map(({ hostname }) => hostname).toSorted(), ["127.0.0.1", "::1"]);
      assertEquals(new Set(addresses.map(({ port }) => port)).size, 1);
      assert(addresses[0]!.port > 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
