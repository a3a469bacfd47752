import { Buffer } from "node:buffer";
import type { Dice } from "../support/seeds.ts";
import { RawClient } from "./raw_client.ts";

/** What is asked for. */
export interface MixFiles {
  /** A few bytes, as `/small.txt`. */
  readonly small: Uint8Array;
  /** Some tens of thousands, as `/medium.bin`. */
  readonly medium: Uint8Array;
  /** More than the kernel takes in for who does not read, as `/big.bin`. */
  readonly big: Uint8Array;
}

/** Options of {@linkcode sendRequestMix}. */
export interface MixOptions {
  /** Where the server listens, on 127.0.0.1. */
  readonly port: number;
  /** At least so many. */
  readonly requests: number;
  /** What the server has. */
  readonly files: MixFiles;
  readonly dice: Dice;
  /** How many clients there are at once, beside those that stall. @default {16} */
  readonly atOnce?: number;
}

/** What came of a mix. */
export interface MixReport {
  /** Requests that were sent. */
  readonly requests: number;
  /** Connections that were made. */
  readonly connections: number;
  /** Answers by status. */
  readonly statuses: Record<number, number>;
  /** How often each kind of client came. */
  readonly kinds: Record<string, number>;
}

/** A request, and whether an answer is the right one. */
interface Question {
  readonly line: string;
  readonly fields?: string;
  readonly status: number;
  readonly body?: Uint8Array;
}

/** The most clients that stall at once. */
const STALLED = 12;
const MALFORMED = [
  "GET  /small.txt HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET /small.txt HTTP/1.1\r\n\r\n",
  "GET /small.txt HTTP/1.1\r\nHost : a\r\n\r\n",
  "GET /small.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
  "\u0000\u0001\u0002\r\n\r\n",
];

/** Send requests of every kind, from clients that behave and from those that do not. */
export async function sendRequestMix(options: MixOptions): Promise<MixReport> {
  const mix = new RequestMix(options);
  await Promise.all(Array.from({ length: options.atOnce ?? 16 }, () => mix.run()));
  await mix.releaseAll();
  return mix.report();
}

class RequestMix {
  #options: MixOptions;
  #requests = 0;
  #connections = 0;
  #statuses: Record<number, number> = {};
  #kinds: Record<string, number> = {};
  #stalled: RawClient[] = [];

  constructor(options: MixOptions) {
    this.#options = options;
  }

  report(): MixReport {
    return {
      requests: this.#requests,
      connections: this.#connections,
      statuses: this.#statuses,
      kinds: this.#kinds,
    };
  }

  async run(): Promise<void> {
    const { dice } = this.#options;
    // Those that behave come more often, and each of them asks more often.
    const kinds = [
      ["keepAlive", (client: RawClient) => this.#keepAlive(client), 5],
      ["pipelined", (client: RawClient) => this.#pipelined(client), 4],
      ["once", (client: RawClient) => this.#once(client), 3],
      ["halfClosed", (client: RawClient) => this.#halfClosed(client), 1],
      ["malformed", (client: RawClient) => this.#malformed(client), 1],
      ["resets", (client: RawClient) => this.#resets(client), 2],
      ["leaves", (client: RawClient) => this.#leaves(client), 1],
      ["stalls", (client: RawClient) => this.#stalls(client), 1],
    ] as const;
    const bag = kinds.flatMap((kind) => Array.from({ length: kind[2] }, () => kind));
    while (this.#requests < this.#options.requests) {
      const [name, act] = dice.oneOf(bag);
      this.#kinds[name] = (this.#kinds[name] ?? 0) + 1;
      this.#connections++;
      const client = await RawClient.connect(this.#options.port);
      try {
        await act(client);
      } catch (cause) {
        await client.close();
        const message = `client that ${name}: ${(cause as Error).message}`;
        throw new Error(message, { cause });
      }
      if (!this.#stalled.includes(client)) await client.close();
    }
  }

  /** Those that stall leave at last, one this way and one that. */
  async releaseAll(): Promise<void> {
    for (const client of this.#stalled) await this.#part(client);
  }

  async #keepAlive(client: RawClient): Promise<void> {
    for (let count = 1 + this.#options.dice.below(20); count > 0; count--) {
      const question = this.#question();
      this.#ask(client, question);
      await this.#check(client, question);
    }
  }

  async #pipelined(client: RawClient): Promise<void> {
    const { below } = this.#options.dice;
    const questions = Array.from({ length: 2 + below(9) }, () => this.#question());
    for (const question of questions) this.#ask(client, question);
    for (const question of questions) await this.#check(client, question);
  }

  async #once(client: RawClient): Promise<void> {
    const question = this.#question();
    this.#ask(client, question, "Connection: close\r\n");
    await this.#check(client, question);
    if (!await client.endsHere()) throw new Error("something comes behind the last answer");
  }

  async #halfClosed(client: RawClient): Promise<void> {
    const question = this.#question();
    this.#ask(client, question);
    client.sendEnd();
    await this.#check(client, question);
    if (!await client.endsHere()) throw new Error("something comes behind the last answer");
  }

  async #malformed(client: RawClient): Promise<void> {
    this.#requests++;
    client.send(this.#options.dice.oneOf(MALFORMED));
    const { status } = await client.answer();
    if (status !== 400) throw new Error(`${status} for what is malformed`);
    this.#count(status);
  }

  /** Within the head, or in the middle of a body. */
  async #resets(client: RawClient): Promise<void> {
    const { dice } = this.#options;
    this.#requests++;
    const text = head({ line: "GET /big.bin", status: 200 });
    if (dice.below(3) === 0) {
      client.send(text.slice(0, dice.below(text.length)));
    } else {
      client.send(text);
      await client.drop(1 + dice.below(300_000));
    }
    await client.reset();
  }

  /** Without waiting for what it has asked for. */
  #leaves(client: RawClient): Promise<void> {
    for (let count = 1 + this.#options.dice.below(5); count > 0; count--) {
      this.#ask(client, this.#question());
    }
    return client.close();
  }

  /** Half a head, or a file that nobody reads; it stays until as many have stalled after it. */
  async #stalls(client: RawClient): Promise<void> {
    const { dice } = this.#options;
    this.#requests++;
    const text = head({ line: "GET /big.bin", status: 200 });
    if (dice.below(2) === 0) {
      client.send(text.slice(0, 1 + dice.below(text.length - 1)));
    } else {
      client.send(text);
      client.stopReading();
    }
    this.#stalled.push(client);
    if (this.#stalled.length > STALLED) await this.#part(this.#stalled.shift()!);
  }

  #part(client: RawClient): Promise<void> {
    return this.#options.dice.below(2) === 0 ? client.close() : client.reset();
  }

  #question(): Question {
    const { dice, files: { small, medium, big } } = this.#options;
    const start = dice.below(medium.byteLength - 1000);
    const end = start + dice.below(1000);
    switch (dice.below(10)) {
      case 0:
      case 1:
      case 2:
        return { line: "GET /small.txt", status: 200, body: small };
      case 3:
        return { line: "GET /medium.bin", status: 200, body: medium };
      case 4:
        return { line: "HEAD /big.bin", status: 200 };
      case 5:
        return { line: `GET /missing-${start}`, status: 404 };
      case 6:
        return {
          line: "GET /medium.bin",
          fields: `Range: bytes=${start}-${end}\r\n`,
          status: 206,
          body: medium.subarray(start, end + 1),
        };
      case 7:
        return {
          line: "GET /big.bin",
          fields: `Range: bytes=-${1 + end}\r\n`,
          status: 206,
          body: big.subarray(big.byteLength - 1 - end),
        };
      case 8:
        return {
          line: "GET /medium.bin",
          fields: `Range: bytes=${medium.byteLength}-\r\n`,
          status: 416,
        };
      default:
        return {
          line: "GET /small.txt",
          fields: `If-Modified-Since: ${new Date().toUTCString()}\r\n`,
          status: 304, // It last changed long ago.
        };
    }
  }

  #ask(client: RawClient, question: Question, more = ""): void {
    this.#requests++;
    client.send(head(question, more));
  }

  async #check(client: RawClient, { line, status, body, fields = "" }: Question): Promise<void> {
    const answer = await client.answer(!line.startsWith("HEAD "));
    this.#count(answer.status);
    if (answer.status !== status) {
      throw new Error(`${answer.status}, expected ${status}, for ${line} ${fields.trim()}`);
    }
    if (body !== undefined && Buffer.compare(answer.body, body) !== 0) {
      throw new Error(`other bytes for ${line} ${fields.trim()}`);
    }
  }

  #count(status: number): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
  }
}

function head({ line, fields = "" }: Question, more = ""): string {
  return `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}${more}\r\n`;
}
