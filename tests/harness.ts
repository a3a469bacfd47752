// One `test()` for three runners. Under Deno it is Deno.test with the leak sanitizers on (they are
// off by default since Deno 2.8, and absent from node:test there); Bun and Node run it through
// node:test, except that run.ts runs Node's with support/run_in_node.ts. Tests are flat, so that
// every runner counts the same.
import process from "node:process";
import { after, test as nodeTest } from "node:test";

/** What a test does. */
export type TestBody = () => void | Promise<void>;

/** How a test is run. */
export interface TestOptions {
  /** The reason for leaving the test out here; `false` or nothing runs it. */
  skip?: string | false;
  /**
   * Whether an operation or resource that outlives the test fails it (Deno only).
   *
   * @default {true}
   */
  sanitize?: boolean;
  /**
   * The test fails after this time.
   *
   * @default {60_000}
   */
  timeoutMs?: number;
}

interface DenoTester {
  test(definition: {
    name: string;
    fn: TestBody;
    ignore: boolean;
    sanitizeOps: boolean;
    sanitizeResources: boolean;
    sanitizeExit: boolean;
    timeout: number;
  }): void;
}

interface Runtimes {
  Deno?: DenoTester;
  Bun?: unknown;
}

const { Deno: deno, Bun: bun } = globalThis as unknown as Runtimes;

/** The runtime that runs the tests. */
export const runtime: "deno" | "bun" | "node" = deno !== undefined
  ? "deno"
  : bun !== undefined
  ? "bun"
  : "node";

/** A test that somebody else than the runtime's own runner runs. */
export interface PlainTest {
  title: string;
  fn: TestBody;
  skip: string | false;
  timeoutMs: number;
}

let collected: PlainTest[] | undefined;

/** Keep the tests of files that are imported from now on, instead of running them. */
export function collectTests(): readonly PlainTest[] {
  return collected = [];
}

const unfinished = new Set<string>();

let watched = runtime !== "node";

/** Make up for what Node's own runner misses. */
function watchNode(): void {
  watched = true;
  // It takes a file that leaves half-way with status 0 for a file that passed.
  process.once("exit", (code) => {
    if (code === 0 && unfinished.size > 0) process.exitCode = 1;
  });
  // And with --test-force-exit it leaves before the last reports of a fast file are written.
  after(async () => {
    do await new Promise((resolve) => setTimeout(resolve, 10)); while (
      process.stdout.writableLength > 0
    );
  });
}

/**
 * Register a flat test.
 *
 * @param name what holds, for example `SocketPool.acquire() rejects when the pool is closed`
 * @param fn the test
 */
export function test(name: string, fn: TestBody): void;
/**
 * Register a flat test with options.
 *
 * @param name what holds
 * @param options when to leave it out, and how strictly to watch it
 * @param fn the test
 */
export function test(name: string, options: TestOptions, fn: TestBody): void;
export function test(name: string, second: TestOptions | TestBody, third?: TestBody): void {
  const options = typeof second === "function" ? {} : second;
  const fn = typeof second === "function" ? second : third;
  if (fn === undefined) throw new TypeError(`Cannot register test: "${name}" has no body`);
  const { skip = false, sanitize = true, timeoutMs = 60_000 } = options;
  const title = skip === false ? name : `${name} [skipped: ${skip}]`;
  if (collected !== undefined) {
    collected.push({ title, fn, skip, timeoutMs });
    return;
  }
  if (deno === undefined) {
    if (!watched) watchNode();
    // Bun's own limit is 5 s, so the limit is always said.
    nodeTest(title, { skip, timeout: timeoutMs }, async () => {
      unfinished.add(title);
      try {
        await fn();
      } finally {
        unfinished.delete(title);
      }
    });
    return;
  }
  deno.test({
    name: title,
    fn: () => fn(), // hides the test context, which only Deno has
    ignore: skip !== false,
    sanitizeOps: sanitize,
    sanitizeResources: sanitize,
    sanitizeExit: true,
    timeout: timeoutMs,
  });
}
