import { checkDescriptors } from "../adapters/shared/system_descriptors.ts";

/** The calls of the C library that this package makes. */
export interface Libc {
  /** close(2). */
  close(descriptor: number): number;
  /** fcntl(2), with a number as its third argument. */
  fcntl(descriptor: number, operation: number, argument: number): number;
  /** send(2). */
  send(descriptor: number, bytes: Uint8Array, length: number, flags: number): number;
  /** errno(3) of the last call on this thread. */
  errno(): number;
}

/** The part of Deno that is used. */
interface DenoLike {
  dlopen(
    file: string,
    symbols: Readonly<Record<string, { parameters: readonly string[]; result: string }>>,
  ): { readonly symbols: Readonly<Record<string, (...args: unknown[]) => unknown>> };
  readonly UnsafePointerView: new (pointer: unknown) => { getInt32(): number };
}

/** The part of `bun:ffi` that is used. */
interface BunFfi {
  dlopen(
    file: string,
    symbols: Readonly<Record<string, { args: readonly string[]; returns: string }>>,
  ): { readonly symbols: Readonly<Record<string, (...args: unknown[]) => unknown>> };
  readonly read: { i32(pointer: unknown, offset: number): number };
}

/** glibc, and musl. */
const FILES: readonly string[] = ["libc.so.6", "libc.so"];
/** Names, arguments and results, in the words of Deno. */
const SIGNATURES = {
  close: [["i32"], "i32"],
  fcntl: [["i32", "i32", "i32"], "i32"],
  send: [["i32", "buffer", "usize", "i32"], "isize"],
  __errno_location: [[], "pointer"],
} as const;
/** The same types in the words of Bun. */
const BUN_TYPES: Readonly<Record<string, string>> = {
  buffer: "ptr",
  pointer: "ptr",
  isize: "i64",
};

const { Deno: deno } = globalThis as unknown as { readonly Deno?: DenoLike };

let opened: Promise<Libc> | undefined;

/**
 * The C library of this system, opened once for each thread.
 *
 * @throws {JackfieldError} `UNSUPPORTED` in Node and outside of Linux, `PERMISSION_DENIED` in Deno
 * without --allow-ffi.
 */
export function openLibc(): Promise<Libc> {
  const refusal = checkDescriptors();
  if (refusal !== undefined) return Promise.reject(refusal);
  return opened ??= deno === undefined ? openInBun() : Promise.resolve(openInDeno(deno));
}

function openInDeno({ dlopen, UnsafePointerView }: DenoLike): Libc {
  const symbols = firstOf((file) => {
    const entries = Object.entries(SIGNATURES).map(([name, [parameters, result]]) => {
      return [name, { parameters, result }] as const;
    });
    return dlopen(file, Object.fromEntries(entries)).symbols;
  });
  return libcOf(symbols, (pointer) => new UnsafePointerView(pointer).getInt32());
}

async function openInBun(): Promise<Libc> {
  const name: string = "bun:ffi"; // A literal would need Bun's types to compile.
  const { dlopen, read } = await import(name) as BunFfi;
  const symbols = firstOf((file) => {
    const entries = Object.entries(SIGNATURES).map(([name, [parameters, result]]) => {
      const args = parameters.map((type) => BUN_TYPES[type] ?? type);
      return [name, { args, returns: BUN_TYPES[result] ?? result }] as const;
    });
    return dlopen(file, Object.fromEntries(entries)).symbols;
  });
  return libcOf(symbols, (pointer) => read.i32(pointer, 0));
}

function libcOf(
  symbols: Readonly<Record<string, (...args: unknown[]) => unknown>>,
  read: (pointer: unknown) => number,
): Libc {
  return {
    close: symbols.close as Libc["close"],
    fcntl: symbols.fcntl as Libc["fcntl"],
    send: (...args) => Number(symbols.send!(...args)),
    errno: () => read(symbols.__errno_location!()),
  };
}

function firstOf<T>(open: (file: string) => T): T {
  let failure: unknown;
  for (const file of FILES) {
    try {
      return open(file);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}
