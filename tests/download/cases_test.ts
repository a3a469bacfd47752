// The table of tests/http/cases.ts over real sockets and real files.
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "../harness.ts";
import { type Case, CASES, contentOf, FILES } from "../http/cases.ts";
import { assertAnswers, type FileState, filled, pathOf, type StateOf } from "../http/compare.ts";
import { bytesOf, sleep } from "../transport/tools.ts";
import { type Client, type Folder, serving } from "./tools.ts";

// The rows about digests together, because they have to wait.
const sections = Map.groupBy(CASES, ({ rfc }) => rfc.startsWith("RFC 9530") ? "RFC 9530" : rfc);
for (const [rfc, rows] of sections) {
  test(`serveDownloads() answers the table's ${rows.length} rows of ${rfc}`, () =>
    serving(async ({ folder, connect }) => {
      for (const path of Object.keys(FILES)) writeFile(folder, path);
      // Digests are remembered of files that have not changed for two seconds.
      const withDigests = rfc === "RFC 9530";
      if (withDigests) await sleep(2100);
      for (const row of rows) {
        await named(row, async () => {
          // What is young stays so for two seconds only.
          if (row.request.includes("/young.bin")) writeFile(folder, "/young.bin");
          const stateOf = await statesOf(row, connect, withDigests);
          const client = await connect();
          const request = filled(row.request, pathOf(row.request), stateOf);
          // A server that refuses may end the connection before it has read everything.
          await client.socket.write(latinOf(request)).catch(() => {});
          await client.socket.closeWrite().catch(() => {});
          assertAnswers(row, await client.rest(), stateOf);
        });
      }
    }));
}

function writeFile(folder: Folder, path: string): void {
  const { modifiedMs } = FILES[path]!;
  const seconds = (modifiedMs === "now" ? Date.now() : modifiedMs) / 1000;
  const place = folder.at(path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, contentOf(path));
  utimesSync(place, seconds, seconds);
}

/** What the server itself says of the files that a row is about. */
async function statesOf(
  row: Case,
  connect: () => Promise<Client>,
  withDigests: boolean,
): Promise<StateOf> {
  const states = new Map<string, FileState>();
  const path = pathOf(row.request);
  const client = await connect();
  for (const one of [path, `${path}.br`, `${path}.gz`]) {
    if (!(one in FILES)) continue;
    const { fields } = await client.request(`HEAD ${one}`);
    for (const algorithm of withDigests ? ["sha-256", "sha-512"] : []) {
      await client.request(`HEAD ${one}`, { "Want-Repr-Digest": `${algorithm}=1` });
    }
    const { modifiedMs } = FILES[one]!;
    states.set(one, {
      entityTag: fields.get("etag")!,
      modifiedMs: modifiedMs === "now" ? Date.now() : modifiedMs,
    });
  }
  client.socket.abort();
  return (one) => states.get(one)!;
}

/** One octet for each character. */
const latinOf = (text: string): Uint8Array =>
  /^[\0-\x7f]*$/.test(text)
    ? bytesOf(text)
    : Uint8Array.from(text, (character) => character.charCodeAt(0));

async function named(row: Case, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw new Error(`"${row.name}": ${(error as Error).message}`, { cause: error });
  }
}
