// A server of files that is nothing but the functions of src/http: octets go in, octets come out.
import { createHash } from "node:crypto";
import {
  encodeHead,
  type FieldLine,
  type FileDescription,
  HeadReader,
  planFileAnswer,
  readRequest,
  refusalOf,
  type Representation,
  type RequestRefusal,
  statusLine,
} from "../../src/http/mod.ts";
import { CODINGS, contentOf, FILES } from "./cases.ts";
import { type FileState, pathOf } from "./compare.ts";
import { source } from "./tools.ts";

const BEGAN_MS = Date.now();

/** What this server says of a file: tags from the path, weak while the file is young. */
export function stateOf(path: string): FileState {
  const { modifiedMs } = FILES[path]!;
  const tag = `"${path.slice(1)},1"`; // With a comma, to try those who cut lists at commas.
  return modifiedMs === "now"
    ? { entityTag: `W/${tag}`, modifiedMs: BEGAN_MS }
    : { entityTag: tag, modifiedMs };
}

function representationOf(path: string): Representation {
  const digests = new Map((["sha-256", "sha-512"] as const).map((algorithm) => {
    const digest = createHash(algorithm.replace("-", "")).update(contentOf(path)).digest();
    return [algorithm, Uint8Array.from(digest)] as const;
  }));
  return { size: FILES[path]!.size, ...stateOf(path), digests };
}

function describe(path: string): FileDescription {
  const coded = CODINGS.filter(([, ending]) => `${path}${ending}` in FILES)
    .map(([coding, ending]) => ({ coding, ...representationOf(`${path}${ending}`) }));
  return { ...representationOf(path), contentType: FILES[path]!.contentType, coded };
}

/** Everything that is answered to what a client sends until it ends its side. */
export async function serve(sent: string): Promise<Uint8Array> {
  const reader = new HeadReader(source(sent), "HTTP_BAD_REQUEST");
  const answers: number[] = [];
  const send = (bytes: Uint8Array): void => {
    for (const octet of bytes) answers.push(octet);
  };
  for (let goesOn = true; goesOn;) {
    goesOn = await serveOne(reader, send);
  }
  return Uint8Array.from(answers);
}

async function serveOne(reader: HeadReader, send: (bytes: Uint8Array) => void): Promise<boolean> {
  let head: Uint8Array | undefined;
  try {
    head = await reader.next();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return refuse(refusal, send);
  }
  if (head === undefined) return false;
  const request = readRequest(head);
  if ("status" in request) return refuse(request, send);
  const path = pathOf(`${request.method} ${request.target} `);
  const answer = planFileAnswer(request, describe(path));
  const { keepAlive } = request;
  const hasLength = answer.status === 200 || answer.status === 206 || answer.status === 304;
  const fields: FieldLine[] = [
    ["Connection", keepAlive ? "keep-alive" : "close"],
    ...(hasLength ? [] : [["Content-Length", 0]] as const),
    ...answer.fields,
  ];
  send(encodeHead(statusLine(answer.status), fields));
  const coding = CODINGS.find(([name]) => name === answer.coding);
  const content = contentOf(coding === undefined ? path : `${path}${coding[1]}`);
  let sent = 0;
  for (const { head, offset, length } of answer.parts()) {
    send(head);
    send(content.subarray(offset, offset + length));
    sent += head.byteLength + length;
  }
  if (sent !== answer.bodyBytes) throw new Error(`${sent} bytes, announced ${answer.bodyBytes}`);
  return keepAlive;
}

function refuse({ status, close, fields }: RequestRefusal, send: (bytes: Uint8Array) => void) {
  const connection = close ? "close" : "keep-alive";
  const all: FieldLine[] = [["Connection", connection], ["Content-Length", 0], ...fields];
  send(encodeHead(statusLine(status), all));
  return !close;
}
