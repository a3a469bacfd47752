// Servers made by hand, which answer as they like: what a foreign or broken server would send.
import { type Listener, type ListenOptions, type Socket, systemTransport } from "../../mod.ts";
import { bytesOf, concat, eventually } from "../transport/tools.ts";

/** A request as a hand-made server sees it. */
export interface Asked {
  /** The connection it came on, from 0. */
  readonly connection: number;
  /** How many requests came before it, on whatever connection. */
  readonly count: number;
  readonly socket: Socket;
  readonly head: string;
  readonly fields: ReadonlyMap<string, string>;
  /** The path and query. */
  readonly path: string;
  /** Whether a range is asked for. */
  readonly isRanged: boolean;
  /** The range that is asked for, its end excluded; without one everything. */
  readonly start: number;
  readonly end: number;
}

/** A server, and what it has seen. */
export interface RawServer {
  readonly url: string;
  readonly asked: Asked[];
  /** The connections that were accepted. */
  readonly sockets: Socket[];
  /** Stop listening and break every connection. */
  vanish(): void;
}

/** Run with a server that answers each request as `answer` says; it ends with the run. */
export async function withServer(
  answer: (asked: Asked, server: RawServer) => Promise<unknown> | unknown,
  run: (server: RawServer) => Promise<void>,
  { listen }: { readonly listen?: ListenOptions } = {},
): Promise<void> {
  const listener: Listener = await systemTransport().listen({ port: 0, ...listen });
  const scheme = listen?.tls === undefined ? "http" : "https";
  const sockets: Socket[] = [];
  const asked: Asked[] = [];
  const server: RawServer = {
    url: `${scheme}://127.0.0.1:${listener.address.port}/file.bin`,
    asked,
    sockets,
    vanish() {
      void listener.close();
      for (const socket of sockets) socket.abort();
    },
  };
  const failures: unknown[] = [];
  let busy = 0;
  const serve = async (socket: Socket) => {
    const connection = sockets.push(socket) - 1;
    try {
      for (let head = await readHead(socket); head !== ""; head = await readHead(socket)) {
        const next = readRequest(head, connection, asked.length, socket);
        asked.push(next);
        await answer(next, server);
      }
      await socket.close();
    } catch (error) {
      // A client may leave whenever it likes; what the test itself got wrong must be seen.
      if ((error as { code?: string }).code === undefined) failures.push(error);
    }
  };
  const accepting = (async () => {
    for await (const socket of listener) {
      busy++;
      void serve(socket).finally(() => busy--);
    }
  })();
  try {
    await run(server);
  } finally {
    server.vanish();
    await accepting;
    await eventually(() => busy === 0, () => `${busy} connections are still being served`);
  }
  if (failures.length > 0) throw failures[0];
}

/** What tells the files of these servers from others, unless a test says otherwise. */
export const ETAG = '"one"';

/** The head of a partial answer; fields may be replaced, and left out with `undefined`. */
export function partialHead(
  { start, end }: { readonly start: number; readonly end: number },
  size: number,
  fields: Record<string, string | number | undefined> = {},
): string {
  return headOf(206, {
    "Content-Range": `bytes ${start}-${Math.min(end, size) - 1}/${size}`,
    "Content-Length": Math.min(end, size) - start,
    "ETag": ETAG,
    ...fields,
  });
}

/** The head of an answer. */
export function headOf(
  status: number,
  fields: Record<string, string | number | undefined> = {},
): string {
  const lines = Object.entries(fields).filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join("")}\r\n`;
}

/** Answer a request with the part of these bytes it asks for. */
export async function sendPart(
  { socket, start, end }: Asked,
  bytes: Uint8Array,
  fields: Record<string, string | number | undefined> = {},
): Promise<void> {
  const head = bytesOf(partialHead({ start, end }, bytes.byteLength, fields));
  await socket.write(concat([head, bytes.subarray(start, end)]));
}

/** Answer a request with all of these bytes. */
export async function sendWhole(
  { socket }: Asked,
  bytes: Uint8Array,
  fields: Record<string, string | number | undefined> = {},
): Promise<void> {
  const head = headOf(200, { "Content-Length": bytes.byteLength, "ETag": ETAG, ...fields });
  await socket.write(concat([bytesOf(head), bytes]));
}

/** Answer as a good server would: the part, or all of it, or all of the new one. */
export async function sendFile(
  asked: Asked,
  bytes: Uint8Array,
  fields: Record<string, string | number | undefined> = {},
): Promise<void> {
  const { "ETag": etag = ETAG } = fields;
  const ifRange = asked.fields.get("if-range");
  const isPart = asked.isRanged && (ifRange === undefined || ifRange === etag);
  if (!isPart) await sendWhole(asked, bytes, fields);
  else if (asked.start >= bytes.byteLength) {
    const range = `bytes */${bytes.byteLength}`;
    await sendText(asked.socket, headOf(416, { "Content-Range": range, "Content-Length": 0 }));
  } else await sendPart(asked, bytes, fields);
}

/** Send text. */
export async function sendText(socket: Socket, text: string): Promise<void> {
  await socket.write(bytesOf(text));
}

async function readHead(socket: Socket): Promise<string> {
  const byte = new Uint8Array(1);
  let text = "";
  while (!text.endsWith("\r\n\r\n")) {
    if (await socket.read(byte) === null) return "";
    text += String.fromCharCode(byte[0]!);
  }
  return text;
}

function readRequest(head: string, connection: number, count: number, socket: Socket): Asked {
  const [line, ...lines] = head.trimEnd().split("\r\n");
  const fields = new Map(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const path = line!.split(" ")[1]!;
  const range = /^bytes=(\d+)-(\d+)$/.exec(fields.get("range") ?? "");
  const isRanged = range !== null;
  const [start, end] = isRanged ? [Number(range[1]), Number(range[2]) + 1] : [0, Infinity];
  return { connection, count, socket, head, path, fields, isRanged, start, end };
}
