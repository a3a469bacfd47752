// A folder of real files, a server around it, and a client that speaks HTTP/1.1 by hand: what it
// believes about heads and lengths owes nothing to src/http.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { assertEquals } from "@std/assert";
import {
  type DownloadServer,
  serveDownloads,
  type ServeDownloadsOptions,
  type Socket,
  type SocketAddress,
  systemTransport,
} from "../../mod.ts";
import type { DownloadEngine } from "../../src/core.ts";
import { bytesOf, concat, eventually, pattern, textOf } from "../transport/tools.ts";

/** A folder of its own for one test. */
export class Folder {
  /** Where it is. */
  readonly path: string = mkdtempSync(join(tmpdir(), "jackfield-"));

  /** The path of a file in it. */
  at(name: string): string {
    return join(this.path, name);
  }

  /** Write a file that last changed long ago, so that its ETag is a strong one. */
  write(name: string, content: string | Uint8Array): Uint8Array {
    const bytes = typeof content === "string" ? bytesOf(content) : content;
    mkdirSync(dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), bytes);
    utimesSync(this.at(name), 1_700_000_000, 1_700_000_000);
    return bytes;
  }

  /** Write a file of so many bytes that look random. */
  fill(name: string, length: number, seed?: number): Uint8Array {
    return this.write(name, pattern(length, seed));
  }

  /** Remove everything. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * Where managers work in tests that do not say so. The files in `placement/` change it, and run the
 * same tests once more.
 */
export const placed: { placement?: "thread" | "process"; engine?: DownloadEngine } = {};

/** What a test with a server works with. */
export interface Served {
  readonly folder: Folder;
  readonly server: DownloadServer;
  /** What `onError` was told, as codes. */
  readonly errors: string[];
  /** A new connection to the server. */
  connect(): Promise<Client>;
}

/** Run with a server over a new folder; everything is closed and removed afterwards. */
export async function serving(
  run: (served: Served) => Promise<void>,
  options: Partial<ServeDownloadsOptions> = {},
): Promise<void> {
  const folder = new Folder();
  const errors: string[] = [];
  const clients: Client[] = [];
  // A clock, and a transport of the test's own, cannot be had elsewhere.
  const isPlain = options.clock === undefined && options.transport === undefined;
  const { engine } = placed;
  const server = await serveDownloads({
    ...(isPlain ? placed : engine === undefined ? {} : { engine }),
    root: folder.path,
    onError: (error) => errors.push((error as { code?: string }).code ?? String(error)),
    ...options,
  });
  try {
    await run({
      folder,
      server,
      errors,
      connect: async () => {
        const client = await Client.connect(server.address);
        clients.push(client);
        return client;
      },
    });
  } finally {
    for (const client of clients) client.socket.abort();
    server.abort();
    await server.close();
    folder.remove();
  }
}

/**
 * Wait until the server's books show these numbers: a client may have the last byte of an answer
 * before the server has written down that it was sent.
 */
export async function expectStats(
  server: DownloadServer,
  expected: Partial<ReturnType<DownloadServer["stats"]>>,
): Promise<void> {
  const names = Object.keys(expected) as (keyof typeof expected)[];
  await eventually(
    () => names.every((name) => server.stats()[name] === expected[name]),
    () => `expected ${JSON.stringify(expected)}, got ${JSON.stringify(server.stats())}`,
  );
}

/** Wait until so many errors are told of: a client may have the answer before. */
export async function expectErrors(errors: readonly unknown[], count: number): Promise<void> {
  await eventually(() => errors.length >= count, () => `expected ${count} errors, got ${errors}`);
  assertEquals(errors.length, count);
}

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** One connection of an HTTP client. */
export class Client {
  /** The connection. */
  readonly socket: Socket;
  #unread: Uint8Array = new Uint8Array(0);

  /** A client on a connection that stands. */
  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Connect to a server. */
  static async connect({ hostname, port }: SocketAddress): Promise<Client> {
    return new Client(await systemTransport().connect({ hostname, port }));
  }

  /** Send a request without a body, or only begin to when `end` is empty. */
  async send(line: string, fields: Record<string, string> = {}): Promise<void> {
    await this.sendText(headOf(line, fields));
  }

  /** Send text as it is. */
  async sendText(text: string): Promise<void> {
    await this.socket.write(bytesOf(text));
  }

  /** Send a request and read its answer. */
  async request(line: string, fields: Record<string, string> = {}): Promise<Answer> {
    await this.send(line, fields);
    return await this.answer({ head: line.startsWith("HEAD ") });
  }

  /** Read an answer; `head` says that no body follows. */
  async answer({ head = false }: { readonly head?: boolean } = {}): Promise<Answer> {
    const { status, fields } = await this.answerHead();
    const length = head ? 0 : Number(fields.get("content-length"));
    if (!Number.isInteger(length)) throw new Error("the answer has no Content-Length");
    return { status, fields, body: await this.take(length) };
  }

  /** Read the head of an answer. */
  async answerHead(): Promise<Omit<Answer, "body">> {
    let text = "";
    while (!text.endsWith("\r\n\r\n")) text += textOf(await this.take(1));
    const [line = "", ...lines] = text.slice(0, -4).split("\r\n");
    const fields = lines.map((each): [string, string] => {
      const colon = each.indexOf(":");
      return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()];
    });
    return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)![1]), fields: new Map(fields) };
  }

  /** Exactly so many bytes. */
  async take(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0;) {
      if (this.#unread.byteLength === 0 && !await this.#fill()) {
        throw new Error(`stream ended ${missing} bytes too early`);
      }
      const part = this.#unread.subarray(0, missing);
      this.#unread = this.#unread.subarray(part.byteLength);
      missing -= part.byteLength;
      parts.push(part);
    }
    return concat(parts);
  }

  /** What is left until the server ends the stream in good order. */
  async rest(): Promise<Uint8Array> {
    const parts = [this.#unread];
    for (this.#unread = new Uint8Array(0); await this.#fill();) parts.push(this.#unread);
    return concat(parts);
  }

  /** How many bytes come until the connection ends, in whatever way. */
  async countUntilEnd(): Promise<number> {
    let count = this.#unread.byteLength;
    try {
      while (await this.#fill()) count += this.#unread.byteLength;
    } catch {
      // A reset is an end, too.
    }
    this.#unread = new Uint8Array(0);
    return count;
  }

  async #fill(): Promise<boolean> {
    const buffer = new Uint8Array(64 * 1024);
    const count = await this.socket.read(buffer);
    if (count !== null) this.#unread = buffer.subarray(0, count);
    return count !== null;
  }
}

/** The head of a request. */
export function headOf(line: string, fields: Record<string, string> = {}): string {
  const all = Object.entries({ Host: "localhost", ...fields });
  return `${line} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}
