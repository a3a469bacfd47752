// Reads the closing lines of the three test runners.

/** How many tests ended which way. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a runner left behind. */
export interface Outcome {
  stdout: string;
  stderr: string;
  /** Whether it ended by itself with status 0. */
  ok: boolean;
}

/** The runners that a tally can be read from. */
export type Runner = "deno" | "bun" | "node";

/**
 * Read a runner's own totals. Only the last match counts, in the stream that the runner writes to,
 * as tests may print such lines themselves. No totals, or a bad end, is at least one failure.
 *
 * @param runner whose output it is
 * @param outcome what it printed, and how it ended
 * @returns the totals
 */
export function tally(runner: Runner, outcome: Outcome): Tally {
  const found = readers[runner](outcome) ?? { passed: 0, failed: 0, skipped: 0 };
  const bad = !outcome.ok || found.passed + found.skipped === 0;
  return bad && found.failed === 0 ? { ...found, failed: 1 } : found;
}

const readers: Record<Runner, (outcome: Outcome) => Tally | undefined> = {
  deno({ stdout }) {
    const closing =
      /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?: \| (\d+) ignored)?/gm;
    const [, passed, failed, ignored = 0] = [...stdout.matchAll(closing)].at(-1) ?? [];
    if (passed === undefined) return undefined;
    return { passed: Number(passed), failed: Number(failed), skipped: Number(ignored) };
  },
  bun({ stderr }) {
    const closing =
      /^ *(\d+) pass\n(?: *(\d+) skip\n)?(?: *(\d+) todo\n)? *(\d+) fail\n(?: *(\d+) errors?\n)?/gm;
    const match = [...stderr.matchAll(closing)].at(-1);
    if (match === undefined) return undefined;
    const [, passed, skipped = 0, todo = 0, failed, errors = 0] = match;
    return {
      passed: Number(passed),
      failed: Math.max(Number(failed), Number(errors)),
      skipped: Number(skipped) + Number(todo),
    };
  },
  node({ stdout }) {
    const last = (word: string): number | undefined => {
      const match = [...stdout.matchAll(new RegExp(`^# ${word} (\\d+)$`, "gm"))].at(-1);
      return match === undefined ? undefined : Number(match[1]);
    };
    const passed = last("pass");
    if (passed === undefined) return undefined;
    return {
      passed,
      failed: (last("fail") ?? 0) + (last("cancelled") ?? 0), // a test out of time is "cancelled"
      skipped: (last("skipped") ?? 0) + (last("todo") ?? 0),
    };
  },
};
