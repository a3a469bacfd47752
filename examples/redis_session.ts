// One Redis connection as a pool's session: commands are pipelined, replies come back in order.
// The protocol is RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/).
import type { Socket } from "../mod.ts";

/** What Redis answers; an error is a value here, for the replies after it are good. */
export type Reply = string | number | null | Error | Reply[];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Speaks RESP2 on a socket; for one caller at a time, as the holder of a lease is. */
export class RedisSession {
  #socket: Socket;
  #unread: Uint8Array = new Uint8Array(0);

  /** The socket is at rest and belongs to nobody else. */
  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** One command: its reply, or the error that Redis answered with. */
  async ask(...command: string[]): Promise<Reply> {
    const [reply] = await this.pipeline(command);
    if (reply instanceof Error) throw reply;
    return reply!;
  }

  /** Several commands in one write: their replies in the same order. */
  async pipeline(...commands: string[][]): Promise<Reply[]> {
    await this.#socket.write(encoder.encode(commands.map(commandText).join("")));
    const replies: Reply[] = [];
    while (replies.length < commands.length) replies.push(await this.#reply());
    return replies;
  }

  async #reply(): Promise<Reply> {
    const line = await this.#line();
    const text = line.slice(1);
    if (line[0] === "+") return text;
    if (line[0] === "-") return new Error(text);
    if (line[0] === ":") return Number(text);
    if (text === "-1") return null;
    if (line[0] === "$") return decoder.decode(await this.#take(Number(text) + 2)).slice(0, -2);
    if (line[0] !== "*") throw new Error(`Cannot read reply: unexpected "${line}"`);
    const items: Reply[] = [];
    while (items.length < Number(text)) items.push(await this.#reply());
    return items;
  }

  async #line(): Promise<string> {
    while (!this.#unread.includes(10)) await this.#more();
    const line = await this.#take(this.#unread.indexOf(10) + 1);
    return decoder.decode(line).slice(0, -2); // without \r\n
  }

  async #take(count: number): Promise<Uint8Array> {
    while (this.#unread.length < count) await this.#more();
    const taken = this.#unread.subarray(0, count);
    this.#unread = this.#unread.subarray(count);
    return taken;
  }

  async #more(): Promise<void> {
    const chunk = new Uint8Array(16_384);
    const count = await this.#socket.read(chunk);
    if (count === null) throw new Error("Cannot read reply: Redis closed the connection");
    const joined = new Uint8Array(this.#unread.length + count);
    joined.set(this.#unread);
    joined.set(chunk.subarray(0, count), this.#unread.length);
    this.#unread = joined;
  }
}

function commandText(words: string[]): string {
  const bulk = words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`);
  return `*${words.length}\r\n${bulk.join("")}`;
}
