// Answers that are given again: what makes them right, and what is noticed at once. For each kind.
import { assert, assertEquals } from "@std/assert";
import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { DownloadEngine, EngineParts, ShortAnswers } from "../../../src/core.ts";
import { test } from "../../harness.ts";
import { type Served, serving } from "../tools.ts";
import { bytesOf, countDescriptors, descriptorsBack, textOf } from "../../transport/tools.ts";

/** What is said about a kind of short answers. */
export interface ShortCase {
  /** New ones, for which everything is old enough to be believed. */
  make(): ShortAnswers & { close?(): void };
  /** What goes with them. */
  parts?(): Omit<EngineParts, "short" | "close">;
  /** How often a file is asked for before it is given again. */
  readonly asks: number;
  /** Why they cannot be tested here. */
  readonly skip?: string | false;
}

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly fields: ReadonlyMap<string, string>;
  /** Whether the answer was given again. */
  readonly short: boolean;
}

interface Asking extends Served {
  ask(line: string, fields?: Record<string, string>): Promise<Asked>;
  /** Ask as often as it takes. */
  learn(line: string): Promise<void>;
}

/** Register the tests of a kind. */
export function testShortAnswers(called: string, { make, parts, asks, skip }: ShortCase): void {
  const options = { skip: skip ?? false, sanitize: false };
  let again = 0;

  const countingEngine = (): DownloadEngine => {
    const own = make();
    const counted = <Result>(result: Result): Result => {
      if (result !== undefined) again++;
      return result;
    };
    const short: ShortAnswers = {
      maxBytes: own.maxBytes,
      learn: (answer) => own.learn(answer),
      forget: (target) => own.forget(target),
      send(...request) {
        const result = own.send(...request);
        return result instanceof Promise ? result.then(counted) : counted(result);
      },
    };
    return { name: "copy", start: () => ({ ...parts?.(), short, close: () => own.close?.() }) };
  };

  const answering = (
    run: (asking: Asking) => Promise<void>,
    more: Parameters<typeof serving>[1] = {},
  ): Promise<void> =>
    serving(async (served) => {
      const client = await served.connect();
      const ask = async (line: string, fields?: Record<string, string>): Promise<Asked> => {
        const before = again;
        const { status, body, fields: got } = await client.request(line, fields);
        return { status, text: textOf(body), fields: got, short: again > before };
      };
      const learn = async (line: string): Promise<void> => {
        for (let round = 0; round < asks; round++) assertEquals((await ask(line)).short, false);
      };
      await run({ ...served, ask, learn });
    }, { engine: countingEngine(), ...more });

  test(
    `${called}: what ends one connection is not given again on others`,
    options,
    () =>
      answering(async ({ folder, ask, connect }) => {
        folder.write("a", "here");
        const connection = async () => (await ask("GET /a")).fields.get("connection");
        for (let round = 0; round <= asks; round++) await ask("GET /a");
        for (let round = 0; round < 2; round++) {
          const leaving = await connect();
          const { fields } = await leaving.request("GET /a", { Connection: "close" });
          assertEquals(fields.get("connection"), "close");
        }
        for (let round = 0; round < 3; round++) assert(await connection() !== "close");
      }),
  );

  test(
    `${called} give a small file again, and nothing that is asked for otherwise`,
    options,
    () =>
      answering(async ({ folder, ask, learn, server }) => {
        folder.write("a", "here");
        const first = await ask("GET /a");
        await learn("GET /a?other");
        for (let round = 1; round < asks; round++) await ask("GET /a");
        const second = await ask("GET /a");
        assertEquals([first.text, first.short, second.text, second.short], [
          "here",
          false,
          "here",
          true,
        ]);
        const [one, other] = [first, second].map(({ fields }) =>
          new Map([...fields].filter(([name]) => name !== "date"))
        );
        assertEquals(one, other);
        assert(Math.abs(Date.parse(second.fields.get("date")!) - Date.now()) < 5000);
        assertEquals((await ask("GET /a", { Range: "bytes=1-2" })).text, "er");
        assertEquals((await ask("GET /a", { "If-None-Match": "x" })).short, false);
        assertEquals((await ask("HEAD /a")).status, 200);
        assertEquals((await ask("GET /a", { Accept: "x" })).short, false); // Fields that are new.
        assertEquals((await ask("GET /a?third")).short, false);
        assertEquals((await ask("GET http://localhost/a")).short, false);
        const refusing = { "Accept-Encoding": "gzip, identity;q=0" };
        for (let round = 0; round < 2; round++) {
          assertEquals((await ask("GET /a", refusing)).status, 406);
        }
        const { finished, bytes, active } = server.stats();
        assertEquals([finished, active], [2 * asks + 9, 0]);
        assert(bytes > 0);
      }),
  );

  test(
    `${called} notice at once what was replaced, changed, removed or renamed`,
    options,
    () =>
      answering(async ({ folder, ask, learn }) => {
        const names = ["a", "b", "c", "d", "e", "inner/f"];
        for (const name of names) folder.write(name, `old ${name}`);
        for (const name of names) await learn(`GET /${name}`);
        for (const name of names) assertEquals((await ask(`GET /${name}`)).short, true, name);
        writeFileSync(folder.at("b"), "NEWER"); // The same length.
        assertEquals((await ask("GET /b")).text, "NEWER");
        assertEquals((await ask("GET /e")).short, true);
        chmodSync(folder.at("e"), 0o600);
        assertEquals((await ask("GET /e")).text, "old e");
        folder.write("other", "new a");
        renameSync(folder.at("other"), folder.at("a"));
        assertEquals((await ask("GET /a")).text, "new a");
        rmSync(folder.at("c"));
        assertEquals((await ask("GET /c")).status, 404);
        folder.write("d.gz", "small");
        assertEquals((await ask("GET /d", { "Accept-Encoding": "gzip" })).text, "small");
        assertEquals((await ask("GET /d")).fields.get("vary"), "Accept-Encoding");
        renameSync(folder.at("inner"), folder.at("outer"));
        assertEquals((await ask("GET /inner/f")).status, 404);
      }),
  );

  test(
    `${called} keep no link, no large file, and nothing with hooks, limits or an observer`,
    options,
    async () => {
      await answering(async ({ folder, ask }) => {
        folder.write("a", "here");
        folder.fill("large", make().maxBytes + 1);
        symlinkSync("a", folder.at("link"));
        for (const name of ["link", "large", "missing"]) {
          for (let round = 0; round <= asks; round++) {
            assertEquals((await ask(`GET /${name}`)).short, false, name);
          }
        }
      });
      for (
        const more of [
          { headers: () => [["X-Mine", "1"]] as const },
          { authorize: () => true },
          { observer: {} },
          { maxBytesPerSecond: 1e9 },
          { maxClientBytesPerSecond: 1e9 },
        ]
      ) {
        await answering(async ({ folder, ask }) => {
          folder.write("a", "here");
          for (let round = 0; round <= asks; round++) {
            assertEquals((await ask("GET /a")).short, false);
          }
        }, more);
      }
    },
  );

  test(
    `${called} come in order with what is pipelined, in pieces, and to who reads late`,
    options,
    () =>
      answering(async ({ folder, ask, learn, connect, server }) => {
        const bytes = folder.fill("a", 60_000);
        await learn("GET /a");
        assertEquals((await ask("GET /a")).short, true);
        const client = await connect();
        const request = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";
        await client.sendText(request.repeat(3) + request.slice(0, 20));
        await client.sendText(request.slice(20));
        for (let round = 0; round < 4; round++) assertEquals((await client.answer()).body, bytes);
        // More than the kernel holds, and nobody reads.
        const late = await connect();
        for (let round = 0; round < 200; round++) await late.sendText(request);
        for (let round = 0; round < 200; round++) {
          const { body } = await late.answer();
          // What did not fit was sent another way: at each seam a byte could be lost or doubled.
          const isSame = body.byteLength === bytes.byteLength &&
            body.every((octet, index) => octet === bytes[index]);
          assert(isSame);
        }
        assertEquals(server.stats().connections, 3);
      }),
  );

  test(`${called} give all descriptors back when the server closes`, options, async () => {
    const before = countDescriptors();
    await answering(async ({ folder, ask, learn }) => {
      const names = Array.from({ length: 20 }, (_, index) => `${index}`);
      for (const name of names) folder.write(name, "here");
      for (const name of names) await learn(`GET /${name}`);
      for (const name of names) assertEquals((await ask(`GET /${name}`)).short, true);
    });
    await descriptorsBack(before);
  });

  test(
    `${called}: a connection ends with its last request`,
    options,
    () =>
      answering(async ({ folder, connect }) => {
        folder.write("a", "here");
        const client = await connect();
        for (let round = 1; round <= 5; round++) {
          const { fields } = await client.request("GET /a");
          assertEquals(fields.get("connection"), round < 5 ? "keep-alive" : "close");
        }
        assertEquals(await client.rest(), bytesOf(""));
      }, { maxRequests: 5 }),
  );
}
