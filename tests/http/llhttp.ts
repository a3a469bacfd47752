// llhttp as an oracle: the parser of Node's own server, in the WebAssembly build that undici carries.
// undici uses it for responses and does not offer it to others; so its file is loaded by name.
import { createRequire } from "node:module";

/** What llhttp makes of the bytes of a connection: the first request of it. */
export interface OracleRequest {
  /** Whether it took the head for a good one. */
  readonly accepted: boolean;
  /** Why not: llhttp's own words. */
  readonly reason: string;
  readonly method: string;
  readonly target: string;
  readonly minorVersion: number;
  /** Names in lower case, values of the same name joined by commas. */
  readonly fields: ReadonlyMap<string, string>;
  readonly keepAlive: boolean;
  /** How many bytes the request has, an empty body included; `undefined` when a body is still to come. */
  readonly consumed: number | undefined;
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, data: number, length: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
  llhttp_method_name(method: number): number;
  llhttp_should_keep_alive(parser: number): number;
}

const REQUEST = 1;
const PAUSED = 21;
const LARGEST = 64 * 1024;

/** llhttp with its strictest settings, which are the ones it has when nobody says anything. */
export class Llhttp {
  #exports: Exports;
  #parser: number;
  #buffer: number;
  #target = "";
  #names: string[] = [];
  #values: string[] = [];
  #keepAlive = false;
  #accepted = false;
  #complete = false;

  /** Ready to read requests. */
  constructor() {
    const code = createRequire(import.meta.url)("undici/lib/llhttp/llhttp-wasm.js");
    const nothing = () => 0;
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), {
      env: {
        wasm_on_message_begin: nothing,
        wasm_on_status: nothing,
        wasm_on_body: nothing,
        wasm_on_url: (_: number, at: number, length: number) => {
          this.#target += this.#text(at, length);
          return 0;
        },
        // A name or value comes in several pieces when a callback or a line break cuts it.
        wasm_on_header_field: (_: number, at: number, length: number) => {
          if (this.#names.length === this.#values.length) this.#names.push("");
          this.#names[this.#names.length - 1] += this.#text(at, length);
          return 0;
        },
        wasm_on_header_value: (_: number, at: number, length: number) => {
          if (this.#values.length < this.#names.length) this.#values.push("");
          this.#values[this.#values.length - 1] += this.#text(at, length);
          return 0;
        },
        wasm_on_headers_complete: (parser: number) => {
          this.#accepted = true;
          this.#keepAlive = this.#exports.llhttp_should_keep_alive(parser) === 1;
          return 0;
        },
        wasm_on_message_complete: () => {
          this.#complete = true;
          return PAUSED;
        },
      },
    });
    this.#exports = instance.exports as unknown as Exports;
    this.#exports._initialize();
    this.#parser = this.#exports.llhttp_alloc(REQUEST);
    this.#buffer = this.#exports.malloc(LARGEST);
  }

  /** What it makes of these bytes, which must be fewer than 64 KiB. */
  read(bytes: Uint8Array): OracleRequest {
    const { memory, ...llhttp } = this.#exports;
    llhttp.llhttp_reset(this.#parser);
    this.#target = "";
    this.#names = [];
    this.#values = [];
    this.#accepted = this.#complete = this.#keepAlive = false;
    new Uint8Array(memory.buffer).set(bytes, this.#buffer);
    llhttp.llhttp_execute(this.#parser, this.#buffer, bytes.byteLength);
    const fields = new Map<string, string>();
    for (const [index, name] of this.#names.entries()) {
      const key = name.toLowerCase();
      const before = fields.get(key);
      const value = trimmed(this.#values[index] ?? "");
      fields.set(key, before === undefined ? value : `${before}, ${value}`);
    }
    const end = llhttp.llhttp_get_error_pos(this.#parser) - this.#buffer;
    return {
      accepted: this.#accepted,
      reason: this.#cString(llhttp.llhttp_get_error_reason(this.#parser)),
      method: this.#cString(llhttp.llhttp_method_name(llhttp.llhttp_get_method(this.#parser))),
      target: this.#target,
      minorVersion: llhttp.llhttp_get_http_minor(this.#parser),
      fields,
      keepAlive: this.#keepAlive,
      consumed: this.#complete ? end : undefined,
    };
  }

  #text(at: number, length: number): string {
    let text = "";
    for (const octet of new Uint8Array(this.#exports.memory.buffer, at, length)) {
      text += String.fromCharCode(octet);
    }
    return text;
  }

  #cString(at: number): string {
    if (at === 0) return "";
    const memory = new Uint8Array(this.#exports.memory.buffer);
    return this.#text(at, memory.indexOf(0, at) - at);
  }
}

/** llhttp leaves the blanks behind a value in it. */
function trimmed(value: string): string {
  let end = value.length;
  while (end > 0 && (value[end - 1] === " " || value[end - 1] === "\t")) end--;
  return value.slice(0, end);
}
