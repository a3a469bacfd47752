import { isJackfieldError, type JackfieldError } from "../core.ts";
import { EXIT } from "./terminal.ts";

/** What `jackfield get` ends with, beyond the codes of every command. */
export const GET_EXIT: typeof EXIT & {
  readonly connection: 3;
  readonly answer: 4;
  readonly changed: 5;
  readonly file: 6;
  readonly digest: 7;
} = {
  ...EXIT,
  /** No connection: no such name, nobody listens, no trust, or it broke too often. */
  connection: 3,
  /** The server's answer is not the file. */
  answer: 4,
  /** The file changed meanwhile. */
  changed: 5,
  /** It cannot be written. */
  file: 6,
  /** Its digest is wrong. */
  digest: 7,
};

/** What went wrong with a transfer, in one line and as an exit code; nothing for other failures. */
export function explainGet(
  error: unknown,
): { readonly line: string; readonly code: number } | undefined {
  if (!isJackfieldError(error)) return undefined;
  const code = exitCodeOf(error);
  if (code === undefined) return undefined;
  const tls = error.reason === "tls" ? `: ${tlsWords(error.cause)}` : "";
  return { line: `${error.message.split("\n", 1)[0]}${tls}`, code };
}

function exitCodeOf({ code, operation }: JackfieldError): number | undefined {
  switch (code) {
    case "CONNECT_FAILED":
    case "CONNECT_TIMEOUT":
    case "NAME_NOT_FOUND":
    case "SOCKET_ABORTED":
    case "SOCKET_FAILED":
    case "SOCKET_RESET":
      return GET_EXIT.connection;
    case "HTTP_BAD_RESPONSE":
    case "HTTP_STATUS":
      return GET_EXIT.answer;
    case "FILE_FAILED":
      return GET_EXIT.file;
    case "TRANSFER_FAILED":
      if (operation === "compare") return GET_EXIT.changed;
      return operation === "verify" ? GET_EXIT.digest : GET_EXIT.connection;
  }
  return undefined;
}

/** What runtimes say of a failed handshake, each in its own way, and what it means. */
const TLS_WORDS: readonly (readonly [RegExp, string])[] = [
  [/not valid for name|altname/i, "the server's certificate is for another name"],
  [/expired|notAfter/i, "the server's certificate has expired"],
  [/not yet valid|notBefore/i, "the server's certificate is not valid yet"],
  [
    /UnknownIssuer|unable to verify|unable to get|self.signed/i,
    "nobody trusted here has signed the server's certificate; --ca FILE names who has",
  ],
  [/corrupt message|wrong.version|packet length too long/i, "the server speaks no TLS there"],
];

function tlsWords(cause: unknown): string {
  const { code = "", message = "" } = (cause ?? {}) as { code?: string; message?: string };
  const found = TLS_WORDS.find(([pattern]) => pattern.test(`${code} ${message}`));
  return found?.[1] ?? message.split("\n", 1)[0]!.slice(0, 100);
}
