import { readdirSync } from "node:fs";
import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import type { Listener, Socket, Transport } from "../../src/core.ts";

/** Text to bytes. */
export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Bytes to text. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A file of tests/fixtures/. */
export function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
}

/** How many descriptors this process has open, or `undefined` where the system does not say. */
export function countDescriptors(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}

/**
 * Wait until no more descriptors are open than before. Fewer are no leak: what an earlier test closed
 * may have gone meanwhile.
 */
export async function descriptorsBack(before: number | undefined): Promise<void> {
  if (before === undefined) return;
  const now = () => countDescriptors() ?? 0;
  await eventually(() => now() <= before, () => `${now()} descriptors, ${before} before`);
}

/** Wait until something holds; the only wait on real time that tests need. */
export async function eventually(
  holds: () => boolean,
  what: () => string,
  limitMs = 5000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what()}`);
    await sleep(5);
  }
}

/** Let real time pass, for what only the kernel decides. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Both ends of a connection, and the listener it came through. */
export interface Pair {
  readonly listener: Listener;
  readonly near: Socket;
  readonly far: Socket;
  /** Close everything that is still open. */
  end(): Promise<void>;
}

/** Connect a transport to itself. */
export async function connectedPair(
  transport: Transport,
  peer: Transport = transport,
): Promise<Pair> {
  const listener = await peer.listen({ port: 0 });
  const { hostname, port } = listener.address;
  const [near, far] = await Promise.all([
    transport.connect({ hostname, port }),
    listener.accept(),
  ]);
  return {
    listener,
    near,
    far,
    async end() {
      await Promise.all([near.close(), far.close(), listener.close()]);
    },
  };
}

/** Everything up to the end of the stream. */
export async function readAll(socket: { read(into: Uint8Array): Promise<number | null> }): Promise<
  Uint8Array
> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) return concat(parts);
    parts.push(buffer.slice(0, count)); // a small copy: thousands of these may be kept
  }
}

/** Exactly so many bytes. */
export async function readExactly(
  socket: { read(into: Uint8Array): Promise<number | null> },
  length: number,
): Promise<Uint8Array> {
  const all = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await socket.read(all.subarray(filled));
    if (count === null) throw new Error(`stream ended after ${filled} of ${length} bytes`);
    filled += count;
  }
  return all;
}

/** Send back what comes, until the end. */
export async function echo(socket: Socket): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await socket.read(buffer);
    if (count === null) break;
    await socket.write(buffer.subarray(0, count));
  }
  await socket.close();
}

/** Answer every connection by echo; failures of single clients do not matter. */
export function echoServer(listener: Listener): Promise<void> {
  return (async () => {
    for await (const socket of listener) echo(socket).catch(() => socket.abort());
  })();
}

/** Join arrays. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

/** Bytes that look random and are always the same. */
export function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** The SHA-256 of bytes, in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The promise's rejection; fails when it resolves. */
export async function rejection(promise: PromiseLike<unknown>): Promise<Error & { code?: string }> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as Error & { code?: string };
  }
  throw new Error(`expected a rejection, got ${String(value)}`);
}
