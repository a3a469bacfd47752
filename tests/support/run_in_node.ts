// Runs test files in Node without node:test, whose hooks on every promise make code that awaits
// much two to five times as slow. Prints a line for each test, and totals as node:test does.
//
//   node tests/support/run_in_node.ts tests/pool/reset_test.ts tests/pool/check_test.ts
import process from "node:process";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { collectTests, type PlainTest } from "../harness.ts";

const totals = { pass: 0, fail: 0, skipped: 0 };
let now = "loading the files";
/** Takes what nobody caught: a test that runs fails of it. */
let onStray: ((error: unknown) => void) | undefined;

for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    if (onStray !== undefined) return onStray(error);
    tell("fail", `${now}\n${inspect(error)}`);
    leave();
  });
}
// Node ends with status 0 when a test waits for something that cannot come any more.
process.once("exit", leftHalfway);

const tests = collectTests();
for (const file of process.argv.slice(2)) await import(pathToFileURL(file).href);
for (const test of tests) {
  now = test.title;
  if (test.skip !== false) {
    tell("skipped", now);
    continue;
  }
  const began = performance.now();
  const failure = await failureOf(test);
  const ms = (performance.now() - began).toFixed();
  if (failure === undefined) tell("pass", `${now} (${ms} ms)`);
  else tell("fail", `${now} (${ms} ms)\n${inspect(failure.error)}`);
}
leave();

function tell(outcome: keyof typeof totals, text: string): void {
  totals[outcome]++;
  const words = { pass: "ok", fail: "not ok", skipped: "ok # SKIP" };
  console.log(`${words[outcome]} - ${text}`);
}

/** Run a test to its end, to its time limit, or to an error that nobody caught. */
async function failureOf({ fn, timeoutMs }: PlainTest): Promise<{ error: unknown } | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      onStray = reject;
      timer = setTimeout(() => reject(new Error(`No end after ${timeoutMs} ms`)), timeoutMs);
      timer.unref();
      Promise.resolve().then(fn).then(resolve, reject);
    });
    return undefined;
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
    onStray = undefined;
  }
}

function leftHalfway(): void {
  tell("fail", `${now}\nNothing is left to do, and it has not ended`);
  tellTotals();
  process.exitCode = 1;
}

function tellTotals(): void {
  for (const [word, count] of Object.entries(totals)) console.log(`# ${word} ${count}`);
}

/** Say the totals and end, although a failed test may have left a server open. */
function leave(): void {
  process.off("exit", leftHalfway);
  tellTotals();
  process.stdout.write("", () => process.exit(totals.fail === 0 ? 0 : 1));
}
