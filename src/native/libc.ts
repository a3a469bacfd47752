import process from "node:process";
import { checkDescriptors } from "../adapters/shared/system_descriptors.ts";

/**
 * The calls of the C library that this package makes, each as its manual page has it. Lengths and
 * offsets are numbers; what a call fills is given as bytes, laid out as `layouts.ts` says.
 */
export interface Libc {
  /** close(2). */
  close(descriptor: number): number;
  /** fcntl(2), with a number as its third argument. */
  fcntl(descriptor: number, operation: number, argument: number): number;
  /** send(2). */
  send(descriptor: number, bytes: Uint8Array, length: number, flags: number): number;
  /** getsockname(2); the length is an int, before and afterwards. */
  getsockname(descriptor: number, name: Uint8Array, length: Uint8Array): number;
  /** getsockopt(2); the length is an int, before and afterwards. */
  getsockopt(
    descriptor: number,
    level: number,
    option: number,
    value: Uint8Array,
    length: Uint8Array,
  ): number;
  /** setsockopt(2). */
  setsockopt(
    descriptor: number,
    level: number,
    option: number,
    value: Uint8Array,
    length: number,
  ): number;
  /** sendfile(2); the offset is where it begins and, afterwards, where it has ended. */
  sendfile(to: number, from: number, offset: Uint8Array, count: number): number;
  /** preadv2(2). */
  preadv2(
    descriptor: number,
    vectors: Uint8Array,
    vectorCount: number,
    offset: number,
    flags: number,
  ): number;
  /** statx(2). */
  statx(
    folder: number,
    path: Uint8Array,
    flags: number,
    mask: number,
    facts: Uint8Array,
  ): number;
  /** fstatfs(2). */
  fstatfs(descriptor: number, facts: Uint8Array): number;
  /** posix_fadvise(2). */
  posix_fadvise(descriptor: number, offset: number, length: number, advice: number): number;
  /** errno(3) of the last call on this thread. */
  errno(): number;
  /** Where bytes lie, for structs that point to them. Somebody has to keep them meanwhile. */
  addressOf(bytes: Uint8Array): bigint;
}

/** The part of Deno that is used. */
interface DenoLike {
  dlopen(
    file: string,
    symbols: Readonly<Record<string, { parameters: readonly string[]; result: string }>>,
  ): { readonly symbols: Readonly<Record<string, (...args: unknown[]) => unknown>> };
  readonly UnsafePointerView: new (pointer: unknown) => { getInt32(): number };
  readonly UnsafePointer: { of(bytes: Uint8Array): unknown; value(pointer: unknown): bigint };
}

/** The part of `bun:ffi` that is used. */
interface BunFfi {
  dlopen(
    file: string,
    symbols: Readonly<Record<string, { args: readonly string[]; returns: string }>>,
  ): { readonly symbols: Readonly<Record<string, (...args: unknown[]) => unknown>> };
  readonly read: { i32(pointer: unknown, offset: number): number };
  ptr(bytes: Uint8Array): number;
}

/** glibc, and musl. */
const FILES: readonly string[] = ["libc.so.6", "libc.so"];
/** Names, arguments and results, in the words of Deno. */
const SIGNATURES = {
  close: [["i32"], "i32"],
  fcntl: [["i32", "i32", "i32"], "i32"],
  // A quantum fits into 32 bits, and a number of 64 would come as a bigint in Bun.
  send: [["i32", "buffer", "usize", "i32"], "i32"],
  getsockname: [["i32", "buffer", "buffer"], "i32"],
  getsockopt: [["i32", "i32", "i32", "buffer", "buffer"], "i32"],
  setsockopt: [["i32", "i32", "i32", "buffer", "u32"], "i32"],
  sendfile: [["i32", "i32", "buffer", "usize"], "i32"],
  preadv2: [["i32", "buffer", "i32", "i64", "i32"], "i32"],
  statx: [["i32", "buffer", "i32", "u32", "buffer"], "i32"],
  fstatfs: [["i32", "buffer"], "i32"],
  posix_fadvise: [["i32", "i64", "i64", "i32"], "i32"],
  __errno_location: [[], "pointer"],
} as const;
/** The same types in the words of Bun; it takes numbers for a `usize`. */
const BUN_TYPES: Readonly<Record<string, string>> = { buffer: "ptr", pointer: "ptr" };

const { Deno: deno } = globalThis as unknown as { readonly Deno?: DenoLike };

let opened: Libc | undefined;

/**
 * The C library of this system, opened once for each thread.
 *
 * @throws {JackfieldError} `UNSUPPORTED` in Node and outside of Linux, `PERMISSION_DENIED` in Deno
 * without --allow-ffi. It never asks.
 */
export function openLibc(): Libc {
  const refusal = checkDescriptors();
  if (refusal !== undefined) throw refusal;
  return opened ??= deno === undefined ? openInBun() : openInDeno(deno);
}

function openInDeno({ dlopen, UnsafePointer, UnsafePointerView }: DenoLike): Libc {
  const symbols = firstOf((file) => {
    const entries = Object.entries(SIGNATURES).map(([name, [parameters, result]]) => {
      return [name, { parameters, result }] as const;
    });
    return dlopen(file, Object.fromEntries(entries)).symbols;
  });
  // One for each thread; it does not move.
  const where = new UnsafePointerView(symbols.__errno_location!());
  return libcOf(symbols, {
    errno: () => where.getInt32(),
    addressOf: (bytes) => UnsafePointer.value(UnsafePointer.of(bytes)),
  });
}

function openInBun(): Libc {
  // An import would have to be awaited, and a literal name would need Bun's types to compile.
  const { dlopen, ptr, read } = process.getBuiltinModule("bun:ffi") as unknown as BunFfi;
  const symbols = firstOf((file) => {
    const entries = Object.entries(SIGNATURES).map(([name, [parameters, result]]) => {
      const args = parameters.map((type) => BUN_TYPES[type] ?? type);
      return [name, { args, returns: BUN_TYPES[result] ?? result }] as const;
    });
    return dlopen(file, Object.fromEntries(entries)).symbols;
  });
  const where = symbols.__errno_location!();
  return libcOf(symbols, {
    errno: () => read.i32(where, 0),
    addressOf: (bytes) => BigInt(ptr(bytes)),
  });
}

function libcOf(
  symbols: Readonly<Record<string, (...args: unknown[]) => unknown>>,
  own: Pick<Libc, "errno" | "addressOf">,
): Libc {
  const { __errno_location: _, ...calls } = symbols;
  return { ...calls as unknown as Omit<Libc, "errno" | "addressOf">, ...own };
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
